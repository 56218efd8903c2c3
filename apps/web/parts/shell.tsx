import { lazy, Suspense, useEffect, useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Outlet, useNavigate, useParams, useRouter, useSearch } from '@tanstack/react-router';
import { useLive } from '../live.ts';
import { environmentsQuery } from '../queries.ts';
import { EnvironmentSwitcher } from './environment-switcher.tsx';
import { useEnv } from './environment.ts';
import { useKeys, watchSequences } from './keys.ts';
import { LiveMark } from './live-mark.tsx';
import { Navigation } from './navigation.tsx';
import { writePreference } from './preferences.ts';
import { Toasts } from './toasts.tsx';
import { ViewMenu } from './view-menu.tsx';
import styles from './shell.module.css';

const Palette = lazy(() => import('./palette.tsx').then((file) => ({ default: file.Palette })));
const HelpDialog = lazy(() => import('./help-dialog.tsx').then((file) => ({ default: file.HelpDialog })));

/** What stands around every page. The environment is always in sight and always in the address. */
export function Shell() {
  const env = useEnv();
  const inAddress = useSearch({ strict: false }).env;
  const run = useParams({ strict: false }).run ?? null;
  const environments = useQuery(environmentsQuery);
  const known = environments.data?.items.map((one) => one.name);
  const live = useLive(env, run, known ?? (environments.isError ? [] : null));
  const navigate = useNavigate();
  const router = useRouter();
  const [help, setHelp] = useState(false);
  const [palette, setPalette] = useState(false);

  useEffect(watchSequences, []);
  useEffect(() => {
    writePreference('environment', env);
    if (inAddress !== undefined) return;
    const here = new URL(window.location.href);
    here.searchParams.set('env', env);
    router.history.replace(here.pathname + here.search + here.hash);
  }, [env, inAddress, router]);
  useEffect(() => {
    const open = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      setPalette((shown) => !shown);
    };
    window.addEventListener('keydown', open);
    return () => window.removeEventListener('keydown', open);
  }, []);
  useKeys({
    '?': () => setHelp(true),
    '/': () => document.querySelector<HTMLInputElement>('[data-filter]')?.focus(),
    'g t': () => void navigate({ to: '/' }),
    'g p': () => void navigate({ to: '/pipelines' }),
    'g r': () => void navigate({ to: '/runs' }),
    'g e': () => void navigate({ to: '/environments' }),
    'g l': () => void navigate({ to: '/releases' }),
    'g u': () => void navigate({ to: '/audit' }),
    'g a': () => void navigate({ to: '/alerts' }),
    'g s': () => void navigate({ to: '/system' }),
  });

  return (
    <div className={styles.shell} data-env={env}>
      <a className="skip-link" href="#main">
        Skip to the page
      </a>
      <header className={styles.side}>
        <EnvironmentSwitcher env={env} />
        <Navigation env={env} onSearch={() => setPalette(true)} />
        <div className={styles.foot}>
          <LiveMark state={live} />
          <ViewMenu onHelp={() => setHelp(true)} />
        </div>
      </header>
      <main id="main" className={styles.main} tabIndex={-1}>
        <Outlet />
      </main>
      <Toasts />
      <Suspense fallback={null}>
        {help && <HelpDialog onClose={() => setHelp(false)} />}
        {palette && <Palette env={env} onClose={() => setPalette(false)} />}
      </Suspense>
    </div>
  );
}
