/** What one asks of an environment: that it points at a release, by way of its gates. */
export interface PromotionRequest {
  readonly environment: string;
  /** Digest. */
  readonly release: string;
  readonly kind: 'promote' | 'hotfix';
  readonly reason: string | null;
  readonly buildUrl: string | null;
  /** Id of the `input` at which that build waits for the promotion; along with an approver it has been answered. Null: it does not wait. */
  readonly input: string | null;
  readonly inFlight: 'finish' | 'cancel';
  /** Of a plan that was looked at; another one by now is refused. Null: whatever the plan is now. */
  readonly planHash: string | null;
  /** Names of gates to pass over; needs a reason. */
  readonly overrides: readonly string[];
  /** When it was verified in environments of another installation, as the caller states. */
  readonly verified: readonly { readonly environment: string; readonly at: string }[];
  /** Who approves along with the request, as the caller vouches; null: nobody. */
  readonly approver: string | null;
}

export interface Decision {
  readonly decision: 'approve' | 'reject';
  readonly comment: string | null;
  /** Null: the caller; else somebody whom the caller vouches for. */
  readonly approver: string | null;
}
