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

export interface KafkaRequest {
  /** Several replicate everything among each other, and one of three may be away. */
  readonly brokers: 1 | 3;
  /** A listener of each broker that sends its clients to another port, where a test has its proxy. */
  readonly proxied?: boolean;
  readonly listeners?: readonly KafkaListener[];
  /** Of every broker; they win over those of here. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly javaOptions?: readonly string[];
}

/** What a client of the proxied listener meets: it connects to `advertised`, whoever listens there forwards to `port`. */
export interface ProxiedListener {
  readonly port: number;
  readonly advertised: number;
}

export interface KafkaBroker {
  readonly id: number;
  /** `host:port`. */
  readonly address: string;
  readonly proxied: ProxiedListener | null;
  /** That of the last start. */
  process(): ServiceProcess;
  /** Starts it again after its process ended; resolves when it is ready. */
  start(): Promise<void>;
}

export interface KafkaCluster extends Service {
  readonly brokers: readonly KafkaBroker[];
  /** `host:port` of every broker, by the name of a listener that was asked for. */
  readonly listeners: ReadonlyMap<string, readonly string[]>;
}

interface BrokerFiles {
  readonly id: number;
  readonly port: number;
  /** Those of the listeners that were asked for. */
  readonly morePorts: readonly number[];
  readonly controllerPort: number;
  readonly proxied: ProxiedListener | null;
  readonly directory: string;
}

/** Of a broker, beside those of listeners that were asked for. */
const PORTS_EACH = 4;

/** A KRaft cluster in which every node is broker and controller. Topics are not created by themselves. */
export async function startKafka(request: KafkaRequest, context: ServiceContext): Promise<KafkaCluster> {
  const { report, signal } = context;
  const { brokers: brokerCount, listeners = [], javaOptions = [], proxied = false } = request;
  const java = await findJava(report, signal);
  const jars = await cached(`kafka-${VERSION}`, `downloading Kafka ${VERSION} (43 MB)`, report, (draft) =>
    copyJars(JARS, draft, report, signal),
  );
  const logging = join(context.runDirectory, 'kafka-log4j2.yaml');
  await writeFile(logging, LOGGING);
  const program = [`-Dlog4j2.configurationFile=${logging}`, '-cp', join(jars, 'libs', '*')];
  const portsEach = PORTS_EACH + listeners.length;
  const ports = await freePorts(portsEach * brokerCount);
  const brokers = Array.from({ length: brokerCount }, (_, index): BrokerFiles => {
    const own = ports.slice(portsEach * index, portsEach * (index + 1));
    const [port, controllerPort, proxiedPort, advertised, ...morePorts] = own as [number, number, number, number];
    const directory = join(context.runDirectory, `kafka-${index + 1}`);
    const between = proxied ? { port: proxiedPort, advertised } : null;
    return { id: index + 1, port, morePorts, controllerPort, proxied: between, directory };
  });
  await Promise.all(
    brokers.map(async (broker) => {
      await mkdir(broker.directory);
      await writeFile(join(broker.directory, 'server.properties'), propertiesOf(broker, brokers, request));
      const formatted = await cached(
        `kafka-${VERSION}-formatted-${broker.id}`,
        `formatting the storage of broker ${broker.id}`,
        report,
        (draft) => format(java, program, broker, brokers, draft, signal),
      );
      await cp(formatted, join(broker.directory, 'data'), { recursive: true });
    }),
  );
  const heap = brokerCount === 1 ? '-Xmx512m' : '-Xmx256m';
  const running = new Map<number, ServiceProcess>();
  const startOne = async (broker: BrokerFiles) => {
    running.set(broker.id, await startBroker(java, [heap, ...javaOptions, ...program], broker, context));
  };
  const start = async () => {
    await Promise.all(brokers.map(startOne));
  };
  await start();
  return {
    name: 'kafka',
    url: brokers.map((broker) => `127.0.0.1:${broker.port}`).join(','),
    listeners: new Map(
      listeners.map(({ name }, at) => [name, brokers.map(({ morePorts }) => `127.0.0.1:${morePorts[at]}`)]),
    ),
    brokers: brokers.map((broker) => ({
      id: broker.id,
      address: `127.0.0.1:${broker.port}`,
      proxied: broker.proxied,
      process: () => running.get(broker.id)!,
      start: () => startOne(broker),
    })),
    processes: () => [...running.values()],
    start,
    async stop() {
      await Promise.all([...running.values()].map((process) => process.stop()));
    },
  };
}

async function startBroker(
  java: string,
  program: readonly string[],
  broker: BrokerFiles,
  context: ServiceContext,
): Promise<ServiceProcess> {
  const running = startProcess({
    name: `kafka-${broker.id}`,
    command: java,
    args: [...program, 'kafka.Kafka', join(broker.directory, 'server.properties')],
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
  broker: BrokerFiles,
  brokers: readonly BrokerFiles[],
  draft: string,
  signal: AbortSignal,
): Promise<void> {
  const properties = join(broker.directory, 'format.properties');
  await writeFile(properties, propertiesOf(broker, brokers, {}, draft));
  const tool = ['kafka.tools.StorageTool', 'format', '--cluster-id', CLUSTER_ID, '--config', properties];
  await runCommand(java, ['-Xmx256m', '-XX:TieredStopAtLevel=1', ...program, ...tool], { timeoutMs: 60_000, signal });
}

function propertiesOf(
  broker: BrokerFiles,
  brokers: readonly BrokerFiles[],
  { listeners = [], settings: more = {} }: Omit<KafkaRequest, 'brokers'>,
  data = join(broker.directory, 'data'),
): string {
  const replicas = brokers.length;
  const least = replicas > 1 ? 2 : 1;
  const { proxied } = broker;
  const own = [
    `PLAINTEXT://127.0.0.1:${broker.port}`,
    ...listeners.map(({ name }, at) => `${name}://127.0.0.1:${broker.morePorts[at]}`),
  ];
  const between = (port: number | undefined) => (port === undefined ? [] : [`PROXIED://127.0.0.1:${port}`]);
  const settings: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': broker.id,
    'controller.quorum.voters': brokers.map((peer) => `${peer.id}@127.0.0.1:${peer.controllerPort}`).join(','),
    listeners: [...own, ...between(proxied?.port), `CONTROLLER://127.0.0.1:${broker.controllerPort}`].join(','),
    'advertised.listeners': [...own, ...between(proxied?.advertised)].join(','),
    'listener.security.protocol.map': [
      'PLAINTEXT:PLAINTEXT',
      'CONTROLLER:PLAINTEXT',
      'PROXIED:PLAINTEXT',
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
