import { SluiceError } from '#core';
import { runProcess } from '#platform';

await runProcess(() =>
  Promise.reject(
    new SluiceError(
      'not_supported',
      'Workers of their own are not supported yet: the scheduler executes attempts itself.',
      {
        hint: 'Start `node dist/scheduler.js` only; SLUICE_CONCURRENCY says how many attempts it runs at once.',
      },
    ),
  ),
);
