export { createEmailSender, type EmailSenderOptions } from './email-sender.ts';
export { createJenkinsCalls } from './jenkins-calls.ts';
export { createJenkinsSender } from './jenkins-sender.ts';
export { readSlackDecision, type SlackDecision } from './slack-decision.ts';
export { createSlackSender, type SlackSenderOptions } from './slack-sender.ts';
export { isSignedBySlack, type SlackProof } from './slack-signature.ts';
export { whisperInSlack, type SlackAccount } from './slack-whisper.ts';
