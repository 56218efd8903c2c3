export { createTestDatabase, type TestDatabase } from './test-database.ts';
export { anAlert } from './an-alert.ts';
export { freePort } from './free-port.ts';
export { startJenkinsServer, type JenkinsServer } from './jenkins-server.ts';
export { checkObject } from './kubernetes/check-object.ts';
export { KubernetesServer, type KubernetesServerOptions } from './kubernetes/kubernetes-server.ts';
export { endedStatus, runningStatus, unschedulableStatus, waitingStatus } from './kubernetes/pod-status.ts';
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
