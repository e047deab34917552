import { readFileSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache.ts';
import { freePorts } from './free-ports.ts';
import { copyJars, findJava } from './java.ts';
import { type ServiceProcess, startProcess, waitUntilReady } from './processes.ts';
import { runCommand } from './run-command.ts';
import type { Service, ServiceContext } from './service.ts';

const VERSION = '4.3.1';
const JARS = [`org.apache.kafka:kafka_2.13:${VERSION}`, 'org.apache.logging.log4j:log4j-slf4j-impl:2.24.3'];

/** 16 bytes in URL-safe base64, as Kafka wants it. The same everywhere, so that a formatted log directory can be kept. */
const CLUSTER_ID = Buffer.from('tailrace-local-1').toString('base64url');

const LOGGING = `Configuration:
  Appenders: {Console: {name: STDOUT, PatternLayout: {Pattern: "[%d] %p %m (%c)%n"}}}
  Loggers: {Root: {level: INFO, AppenderRef: [{ref: STDOUT}]}}
`;

interface Broker {
  readonly id: number;
  readonly port: number;
  readonly controllerPort: number;
  readonly directory: string;
}

/** A KRaft cluster of one broker, or of three with replication factor 3. Topics are not created by themselves. */
export async function startKafka(brokerCount: 1 | 3, context: ServiceContext): Promise<Service> {
  const { report, signal } = context;
  const java = await findJava(report, signal);
  const jars = await cached(`kafka-${VERSION}`, `downloading Kafka ${VERSION} (43 MB)`, report, (draft) =>
    copyJars(JARS, draft, report, signal),
  );
  const logging = join(context.runDirectory, 'kafka-log4j2.yaml');
  await writeFile(logging, LOGGING);
  const program = [`-Dlog4j2.configurationFile=${logging}`, '-cp', join(jars, 'libs', '*')];
  const ports = await freePorts(2 * brokerCount);
  const brokers: Broker[] = Array.from({ length: brokerCount }, (_, index) => ({
    id: index + 1,
    port: ports[2 * index]!,
    controllerPort: ports[2 * index + 1]!,
    directory: join(context.runDirectory, `kafka-${index + 1}`),
  }));
  await Promise.all(
    brokers.map(async (broker) => {
      await mkdir(broker.directory);
      await writeFile(join(broker.directory, 'server.properties'), propertiesOf(broker, brokers));
      const formatted = await cached(
        `kafka-${VERSION}-formatted-${broker.id}`,
        `formatting the storage of broker ${broker.id}`,
        report,
        (draft) => format(java, program, broker, brokers, draft, signal),
      );
      await cp(formatted, join(broker.directory, 'data'), { recursive: true });
    }),
  );
  let running: ServiceProcess[] = [];
  const start = async () => {
    running = await Promise.all(brokers.map((broker) => startBroker(java, program, broker, context)));
  };
  await start();
  return {
    name: 'kafka',
    url: brokers.map((broker) => `127.0.0.1:${broker.port}`).join(','),
    processes: () => running,
    start,
    async stop() {
      await Promise.all(running.map((process) => process.stop()));
    },
  };
}

async function startBroker(
  java: string,
  program: readonly string[],
  broker: Broker,
  context: ServiceContext,
): Promise<ServiceProcess> {
  const running = startProcess({
    name: `kafka-${broker.id}`,
    command: java,
    args: ['-Xmx512m', ...program, 'kafka.Kafka', join(broker.directory, 'server.properties')],
    cwd: broker.directory,
    ...context,
    stopSteps: [{ signal: 'SIGTERM', waitMs: 5_000 }],
  });
  const started = /Kafka Server started/g;
  const before = (logOf(running).match(started) ?? []).length;
  const isReady = () => (logOf(running).match(started) ?? []).length > before;
  await waitUntilReady(running, isReady, { timeoutMs: 120_000, signal: context.signal });
  return running;
}

function logOf(running: ServiceProcess): string {
  return readFileSync(running.logFile, 'utf8');
}

/** `kafka-storage.sh format`: a JVM and two seconds for two small files without ports in them, hence kept in the cache. */
async function format(
  java: string,
  program: readonly string[],
  broker: Broker,
  brokers: readonly Broker[],
  draft: string,
  signal: AbortSignal,
): Promise<void> {
  const properties = join(broker.directory, 'format.properties');
  await writeFile(properties, propertiesOf({ ...broker, directory: broker.directory }, brokers, draft));
  const tool = ['kafka.tools.StorageTool', 'format', '--cluster-id', CLUSTER_ID, '--config', properties];
  await runCommand(java, ['-Xmx256m', '-XX:TieredStopAtLevel=1', ...program, ...tool], { timeoutMs: 60_000, signal });
}

function propertiesOf(broker: Broker, brokers: readonly Broker[], data = join(broker.directory, 'data')): string {
  const replicas = brokers.length;
  const least = replicas > 1 ? 2 : 1;
  const settings: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': broker.id,
    'controller.quorum.voters': brokers.map((peer) => `${peer.id}@127.0.0.1:${peer.controllerPort}`).join(','),
    listeners: `PLAINTEXT://127.0.0.1:${broker.port},CONTROLLER://127.0.0.1:${broker.controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${broker.port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': data,
    'auto.create.topics.enable': 'false',
    'num.partitions': 1,
    'default.replication.factor': replicas,
    'min.insync.replicas': least,
    'offsets.topic.num.partitions': 1,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.num.partitions': 1,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': least,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': least,
    'group.initial.rebalance.delay.ms': 0,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
