export { createEmailSender, type EmailSenderOptions } from './email-sender.ts';
export { createSlackSender, type SlackSenderOptions } from './slack-sender.ts';
