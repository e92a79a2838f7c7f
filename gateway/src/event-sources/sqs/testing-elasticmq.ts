import { provideJars, TestServer } from '../testing-servers.ts';

/** ElasticMQ's account and region, in ARNs. */
export const elasticMqArn = (queue: string): string => `arn:aws:sqs:us-east-1:000000000000:${queue}`;

/** ElasticMQ: a real server of SQS's protocol, with FIFO and dead-letter queues, in memory. */
export async function startElasticMq(): Promise<TestServer> {
  const jars = await provideJars('elasticmq');
  return TestServer.start({
    command: 'java',
    args: (port) => [
      '-Xmx256m',
      '-XX:TieredStopAtLevel=1', // listens in half the time
      `-Dnode-address.port=${port}`,
      `-Drest-sqs.bind-port=${port}`,
      '-Drest-sqs.bind-hostname=127.0.0.1',
      '-Drest-stats.enabled=false',
      '-cp',
      `${jars}/*`,
      'org.elasticmq.server.Main',
    ],
  });
}
