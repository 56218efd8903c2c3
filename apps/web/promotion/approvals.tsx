import { useRef, useState } from 'react';
import { Button, Textarea } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { PromotionDetail } from '#contracts';
import { meQuery } from '../queries.ts';
import { useKeys } from '../parts/keys.ts';
import { Card } from '../parts/page.tsx';
import { Ago } from '../parts/time.tsx';
import { useDecide } from './actions.ts';
import { myApproval } from './my-approval.ts';
import { isBeforeSwitch } from './promotion-look.ts';
import styles from './approvals.module.css';

/** Who has decided what, and the form for the reader's own decision. */
export function Approvals({ promotion }: { promotion: PromotionDetail }) {
  const { approvals } = promotion;
  const { needed, counted, given, groups, excludeAuthor } = approvals;
  return (
    <Card title="Approvals" id="approvals" beside={needed === 0 ? 'none needed' : `${counted.length} of ${needed}`}>
      <div className={styles.body}>
        {needed > 0 && (
          <p className="dim">
            {groups.length > 0 ? `Of ${groups.join(' or ')}` : 'Of anybody with the right to approve'}
            {excludeAuthor && '; not by who asked for it or wrote the commit'}.
          </p>
        )}
        {given.length > 0 && (
          <ul className={styles.given}>
            {given.map((one) => (
              <li key={one.approver} data-testid="approval">
                <span className={styles.decision} data-decision={one.decision}>
                  {one.decision === 'approve' ? <IconCheck size={14} aria-hidden /> : <IconX size={14} aria-hidden />}
                </span>
                <div className={styles.text}>
                  <span>
                    <b>{one.approver}</b> {one.decision === 'approve' ? 'approved' : 'rejected'}
                    {one.decision === 'approve' && !counted.includes(one.approver) && (
                      <span className="dim">, which does not count</span>
                    )}{' '}
                    <span className="dim">
                      <Ago at={one.at} />
                    </span>
                  </span>
                  {one.assertedBy !== null && <span className="dim">as {one.assertedBy} vouches</span>}
                  {one.comment !== null && <q>{one.comment}</q>}
                </div>
              </li>
            ))}
          </ul>
        )}
        {given.length === 0 && needed === 0 && <p className="dim">Nobody has to approve this promotion.</p>}
        {isBeforeSwitch(promotion) && (needed > 0 || given.length > 0) && <Decide promotion={promotion} />}
      </div>
    </Card>
  );
}

function Decide({ promotion }: { promotion: PromotionDetail }) {
  const [comment, setComment] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  const me = useQuery(meQuery).data;
  const decide = useDecide(promotion.id);
  useKeys({ a: () => field.current?.focus() });
  if (me === undefined) return null;
  const mine = myApproval(promotion, me);
  if (mine.kind === 'given') return null;
  if (mine.kind === 'may_not') return <p className={styles.whyNot}>{mine.why}</p>;
  const submit = (decision: 'approve' | 'reject') =>
    decide.mutate({ decision, comment: comment.trim() || null }, { onSuccess: () => setComment('') });
  return (
    <div className={styles.decide} data-testid="decide">
      <Textarea
        ref={field}
        label="Your decision"
        description={`As ${me.name}. A comment is optional; both stand there for ever.`}
        rows={2}
        maxLength={2000}
        value={comment}
        onChange={(event) => setComment(event.currentTarget.value)}
        data-testid="comment"
      />
      <div className={styles.buttons}>
        <Button
          leftSection={<IconCheck size={15} />}
          loading={decide.isPending && decide.variables.decision === 'approve'}
          disabled={decide.isPending}
          onClick={() => submit('approve')}
          data-testid="approve"
        >
          Approve
        </Button>
        <Button
          variant="default"
          leftSection={<IconX size={15} />}
          loading={decide.isPending && decide.variables.decision === 'reject'}
          disabled={decide.isPending}
          onClick={() => submit('reject')}
          data-testid="reject"
        >
          Reject
        </Button>
      </div>
    </div>
  );
}
