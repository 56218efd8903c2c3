import { useEffect } from 'react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { Environment } from '#contracts';
import { environmentsQuery } from '../queries.ts';
import { readPreference } from './preferences.ts';

/** The environment of the page: from the address, else the last one used, else dev. */
export function useEnv(): string {
  const env = useSearch({ strict: false }).env;
  return env ?? readPreference('environment') ?? 'dev';
}

export function useEnvironments(): readonly Environment[] {
  return useQuery(environmentsQuery).data?.items ?? [];
}

/** A run belongs to one environment: its page shows that one, whatever the link said. */
export function useEnvOfRun(env: string): void {
  const shown = useEnv();
  const navigate = useNavigate();
  useEffect(() => {
    if (shown !== env) void navigate({ to: '.', search: (old) => ({ ...old, env }), hash: true, replace: true });
  }, [shown, env, navigate]);
}
