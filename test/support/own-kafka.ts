import type { KafkaBroker, KafkaCluster, KafkaRequest } from '../../deploy/local/kafka.ts';
import { startStack } from '../../deploy/local/stack.ts';
import { awaitUntil } from './await-until.ts';

/** A Kafka that a test may break. While it exists, whatever asks in this process for the brokers is given its brokers. */
export interface OwnKafka extends AsyncDisposable {
  readonly cluster: KafkaCluster;
}

/** Starts a cluster of the test's own, whatever the environment names. */
export async function startOwnKafka(request: KafkaRequest): Promise<OwnKafka> {
  const before = process.env.TEST_KAFKA_BROKERS;
  const { kafka, stop } = await startStack({ kafka: request, ownServices: true, report: () => undefined });
  const cluster = kafka!;
  process.env.TEST_KAFKA_BROKERS = cluster.url;
  return {
    cluster,
    async [Symbol.asyncDispose]() {
      if (before === undefined) delete process.env.TEST_KAFKA_BROKERS;
      else process.env.TEST_KAFKA_BROKERS = before;
      await stop();
    },
  };
}

/** SIGKILL, as a broker ends whose machine is gone. */
export async function killBroker(broker: KafkaBroker): Promise<void> {
  const process = broker.process();
  process.signal('SIGKILL');
  await awaitUntil(`broker ${broker.id} is gone`, () => !process.isRunning());
}
