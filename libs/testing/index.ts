export { createTestDatabase, type TestDatabase } from './test-database.ts';
export { anAlert } from './an-alert.ts';
export { freePort } from './free-port.ts';
export { startJenkinsServer, type JenkinsServer } from './jenkins-server.ts';
export { startRedisServer, type RedisServer } from './redis-server.ts';
export {
  startSlackServer,
  type SlackCall,
  type SlackFault,
  type SlackServer,
  type SlackServerOptions,
} from './slack-server.ts';
export {
  startSmtpServer,
  type ReceivedMail,
  type SmtpFault,
  type SmtpPoint,
  type SmtpServerOptions,
  type SmtpTestServer,
} from './smtp-server.ts';
