import { lazy, Suspense, useEffect, useState } from 'react';
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { ApiError, signIn } from './api.ts';
import { router } from './router.tsx';
import { setSignedOut, takeCode, useSignedOut } from './session.ts';
import { colorScheme, cssVariables, theme } from './theme.ts';

const SignInPage = lazy(() => import('./pages/sign-in.tsx').then((page) => ({ default: page.SignInPage })));

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // Live events say when something changed; time alone does not.
      staleTime: 60_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 500),
      retryDelay: (count) => 800 * 2 ** count,
    },
  },
});

const code = takeCode();
/** Started once, outside React: a code is good for one use. */
const redeemed = code === null ? null : signIn({ code });

export function App() {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      colorSchemeManager={colorScheme}
      defaultColorScheme="auto"
    >
      <QueryClientProvider client={client}>
        <Door />
      </QueryClientProvider>
    </MantineProvider>
  );
}

/** What was refused before is forgotten first: a page that mounts on it would not ask again. */
function enter(): void {
  client.clear();
  setSignedOut(false);
}

/** Redeems the code of the address first; then the page, or the sign-in when the server says 401. */
function Door() {
  const signedOut = useSignedOut();
  const [redeeming, setRedeeming] = useState(redeemed !== null);
  const [refusal, setRefusal] = useState<unknown>(null);
  useEffect(() => {
    redeemed
      ?.catch((error: unknown) => {
        setRefusal(error);
        setSignedOut(true);
      })
      .finally(() => setRedeeming(false));
  }, []);
  if (redeeming) return null;
  if (!signedOut) return <RouterProvider router={router} />;
  return (
    <Suspense fallback={null}>
      <SignInPage refusal={refusal} onSignedIn={enter} />
    </Suspense>
  );
}
