/** The limits of Block Kit that our messages come near: Slack refuses the whole message when one is passed. */
const TEXT = 3000;
const FIELD = 2000;
const FIELDS = 10;
const BLOCKS = 50;
const BUTTON_TEXT = 75;
const URL_LENGTH = 3000;
const VALUE_LENGTH = 2000;

type Part = Readonly<Record<string, unknown>>;

/** Slack's error code for a message it would refuse, else null. */
export function refusedBlocks(args: Readonly<Record<string, unknown>>): string | null {
  const blocks = (args['blocks'] ?? []) as readonly Part[];
  const attachments = (args['attachments'] ?? []) as readonly Part[];
  if (!Array.isArray(blocks)) return 'invalid_blocks_format';
  if (!Array.isArray(attachments)) return 'invalid_attachments';
  if (blocks.length === 0 && attachments.length === 0 && !args['text']) return 'no_text';
  if (String(args['text'] ?? '').length > 40_000) return 'msg_too_long';
  const all = [...blocks, ...attachments.flatMap((attachment) => (attachment['blocks'] ?? []) as readonly Part[])];
  return all.length <= BLOCKS && all.every(isAllowed) ? null : 'invalid_blocks';
}

function isAllowed(block: Part): boolean {
  const elements = (block['elements'] ?? []) as readonly Part[];
  const fields = (block['fields'] ?? []) as readonly Part[];
  switch (block['type']) {
    case 'section':
      if (fields.length > FIELDS || !fields.every((field) => isText(field, FIELD))) return false;
      return block['text'] === undefined ? fields.length > 0 : isText(block['text'], TEXT);
    case 'context':
      return elements.length > 0 && elements.length <= 10 && elements.every((element) => isText(element, TEXT));
    case 'actions':
      return elements.length > 0 && elements.every(isButton);
    case 'divider':
      return true;
    default:
      return false;
  }
}

function isText(value: unknown, limit: number): boolean {
  const { type, text } = (value ?? {}) as Part;
  return (
    (type === 'mrkdwn' || type === 'plain_text') && typeof text === 'string' && text !== '' && text.length <= limit
  );
}

function isButton({ type, text, url, value, style = 'primary', confirm, action_id: id }: Part): boolean {
  const goodUrl = typeof url === 'string' && url.length <= URL_LENGTH && /^https?:\/\//.test(url) && URL.canParse(url);
  const goodValue = typeof value === 'string' && value !== '' && value.length <= VALUE_LENGTH && isConfirm(confirm);
  const goodStyle = style === 'primary' || style === 'danger';
  return (
    type === 'button' && isText(text, BUTTON_TEXT) && (goodUrl || goodValue) && goodStyle && typeof id === 'string'
  );
}

function isConfirm(value: unknown): boolean {
  const { title, text, confirm, deny } = (value ?? {}) as Part;
  return isText(title, 100) && isText(text, 300) && isText(confirm, 30) && isText(deny, 30);
}
