import { useState, type FormEvent } from 'react';
import { Button, PasswordInput } from '@mantine/core';
import '@mantine/core/styles/PasswordInput.css';
import { signIn } from '../api.ts';
import { Coded } from '../parts/notice.tsx';
import styles from './sign-in.module.css';

interface SignInPageProps {
  /** Why the code in the address did not work, if there was one. */
  readonly refusal: unknown;
  readonly onSignedIn: () => void;
}

export function SignInPage({ refusal, onSignedIn }: SignInPageProps) {
  const [token, setToken] = useState('');
  const [error, setError] = useState(refusal);
  const [busy, setBusy] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    signIn({ token: token.trim() })
      .then(onSignedIn)
      .catch(setError)
      .finally(() => setBusy(false));
  };
  return (
    <main className={styles.page}>
      <form className={styles.box} onSubmit={submit} data-testid="sign-in">
        <img src="/icon.svg" width={40} height={40} alt="" />
        <h1 className={styles.title}>Sign in to Sluice</h1>
        <p className={styles.text}>
          <Coded text="`npx sluice open` signs you in, or paste the token from `.sluice/server.json`." />
        </p>
        <PasswordInput
          size="sm"
          label="Token"
          autoFocus
          autoComplete="current-password"
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          error={error === null ? undefined : error instanceof Error ? error.message : 'Not accepted.'}
          data-testid="token"
        />
        <Button type="submit" size="sm" fullWidth loading={busy} disabled={token.trim() === ''}>
          Sign in
        </Button>
      </form>
    </main>
  );
}
