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

/** A listener beside the one without TLS and authentication. */
export interface KafkaListener {
  /** Upper case. */
  readonly name: string;
  readonly protocol: 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  /** Of this listener only: `ssl.client.auth`, `plain.sasl.jaas.config`. */
  readonly settings: Readonly<Record<string, string>>;
}

/** What brokers get beside the settings of here. */
export interface KafkaExtras {
  readonly listeners?: readonly KafkaListener[];
  /** They win. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly javaOptions?: readonly string[];
}

export interface KafkaService extends Service {
  /** `host:port` of every broker, by the name of the listener. */
  readonly listeners: ReadonlyMap<string, readonly string[]>;
}

interface Broker {
  readonly id: number;
  readonly port: number;
  /** Those of the listeners that were asked for. */
  readonly morePorts: readonly number[];
  readonly controllerPort: number;
  readonly directory: string;
}

/** A KRaft cluster of one broker, or of three with replication factor 3. Topics are not created by themselves. */
export async function startKafka(
  brokerCount: 1 | 3,
  context: ServiceContext,
  extras: KafkaExtras = {},
): Promise<KafkaService> {
  const { report, signal } = context;
  const { listeners = [], javaOptions = [] } = extras;
  const java = await findJava(report, signal);
  const jars = await cached(`kafka-${VERSION}`, `downloading Kafka ${VERSION} (43 MB)`, report, (draft) =>
    copyJars(JARS, draft, report, signal),
  );
  const logging = join(context.runDirectory, 'kafka-log4j2.yaml');
  await writeFile(logging, LOGGING);
  const program = [`-Dlog4j2.configurationFile=${logging}`, '-cp', join(jars, 'libs', '*')];
  const perBroker = 2 + listeners.length;
  const ports = await freePorts(perBroker * brokerCount);
  const brokers: Broker[] = Array.from({ length: brokerCount }, (_, index) => ({
    id: index + 1,
    port: ports[perBroker * index]!,
    controllerPort: ports[perBroker * index + 1]!,
    morePorts: ports.slice(perBroker * index + 2, perBroker * (index + 1)),
    directory: join(context.runDirectory, `kafka-${index + 1}`),
  }));
  await Promise.all(
    brokers.map(async (broker) => {
      await mkdir(broker.directory);
      await writeFile(join(broker.directory, 'server.properties'), propertiesOf(broker, brokers, extras));
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
    running = await Promise.all(
      brokers.map((broker) => startBroker(java, [...javaOptions, ...program], broker, context)),
    );
  };
  await start();
  return {
    name: 'kafka',
    url: brokers.map((broker) => `127.0.0.1:${broker.port}`).join(','),
    listeners: new Map(
      listeners.map(({ name }, at) => [name, brokers.map(({ morePorts }) => `127.0.0.1:${morePorts[at]}`)]),
    ),
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
  await writeFile(properties, propertiesOf(broker, brokers, {}, draft));
  const tool = ['kafka.tools.StorageTool', 'format', '--cluster-id', CLUSTER_ID, '--config', properties];
  await runCommand(java, ['-Xmx256m', '-XX:TieredStopAtLevel=1', ...program, ...tool], { timeoutMs: 60_000, signal });
}

function propertiesOf(
  broker: Broker,
  brokers: readonly Broker[],
  { listeners = [], settings: more = {} }: KafkaExtras,
  data = join(broker.directory, 'data'),
): string {
  const replicas = brokers.length;
  const least = replicas > 1 ? 2 : 1;
  const open = [
    `PLAINTEXT://127.0.0.1:${broker.port}`,
    ...listeners.map(({ name }, at) => `${name}://127.0.0.1:${broker.morePorts[at]}`),
  ];
  const settings: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': broker.id,
    'controller.quorum.voters': brokers.map((peer) => `${peer.id}@127.0.0.1:${peer.controllerPort}`).join(','),
    listeners: [...open, `CONTROLLER://127.0.0.1:${broker.controllerPort}`].join(','),
    'advertised.listeners': open.join(','),
    'listener.security.protocol.map': [
      'PLAINTEXT:PLAINTEXT',
      'CONTROLLER:PLAINTEXT',
      ...listeners.map(({ name, protocol }) => `${name}:${protocol}`),
    ].join(','),
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
    ...Object.fromEntries(
      listeners.flatMap(({ name, settings }) =>
        Object.entries(settings).map(([key, value]) => [`listener.name.${name.toLowerCase()}.${key}`, value]),
      ),
    ),
    ...more,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
