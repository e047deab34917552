import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { crc32c } from '@node-rs/crc32';
import { WireReader } from '../../../src/kafka/protocol/wire-reader.ts';
import { WireWriter } from '../../../src/kafka/protocol/wire-writer.ts';

/** One batch as the log has it: its own record values, in order. */
export interface LoggedBatch {
  readonly baseSequence: number;
  readonly count: number;
  readonly baseOffset: number;
  readonly bytes: Buffer;
}

interface Partition {
  leaderId: number;
  leaderEpoch: number;
  readonly log: LoggedBatch[];
  nextSequence: number;
  nextOffset: number;
}

/** What the script may do with one batch of a request. */
export type BatchFault =
  | 'none'
  | { readonly code: number; readonly appended?: boolean; readonly hint?: boolean }
  | { readonly missing: true; readonly appended: boolean };

export interface ProduceEvent {
  readonly nodeId: number;
  /** Number of the Produce request, over all brokers, from 0. */
  readonly request: number;
  readonly topic: string;
  readonly partition: number;
  readonly baseSequence: number;
}

/** What the script may do with a whole answer: `drop` cuts the connection, `hang` leaves it unanswered. */
export type AnswerFault = 'none' | 'drop' | 'hang';

const DUPLICATE = 46;
const OUT_OF_ORDER = 45;
const NOT_LEADER = 6;
const REMEMBERED_BATCHES = 5;

/**
 * Brokers on loopback that know just what a sink asks, keep a log per partition by the rules of the idempotent producer
 * (KIP-98: sequences without gaps, the last five batches recognised), and fail as a script says.
 */
export class ScriptedCluster {
  onBatch: (event: ProduceEvent) => BatchFault = () => 'none';
  onAnswer: (nodeId: number, request: number) => AnswerFault = () => 'none';
  throttleTimeMs = 0;
  maxMessageBytes: number | null = 1_048_588;
  topicId = 1;
  readonly requestTimes: number[] = [];
  readonly #partitions: Partition[] = [];
  readonly #servers = new Map<number, Server>();
  readonly #sockets = new Set<Socket>();
  readonly topic: string;
  metadataRequests = 0;
  requests = 0;
  inFlight = 0;
  maxInFlight = 0;

  constructor(topic: string, partitions: number) {
    this.topic = topic;
    this.setPartitions(partitions);
  }

  setPartitions(count: number): void {
    while (this.#partitions.length < count) {
      this.#partitions.push({ leaderId: 1, leaderEpoch: 1, log: [], nextSequence: -1, nextOffset: 0 });
    }
  }

  /** Another topic of the same name: nothing of before is known of it. */
  recreate(): void {
    const count = this.#partitions.length;
    this.topicId += 1;
    this.#partitions.length = 0;
    this.setPartitions(count);
  }

  async start(nodes: number): Promise<void> {
    for (let nodeId = 1; nodeId <= nodes; nodeId++) {
      const server = createServer((socket) => this.#serve(nodeId, socket));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      this.#servers.set(nodeId, server);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers.values()) await new Promise((resolve) => server.close(resolve));
  }

  address(nodeId: number): string {
    return `127.0.0.1:${this.#port(nodeId)}`;
  }

  /** Sockets of clients that are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  log(partition: number): readonly LoggedBatch[] {
    return this.#partitions[partition]!.log;
  }

  moveLeader(partition: number, nodeId: number): void {
    const moved = this.#partitions[partition]!;
    moved.leaderId = nodeId;
    moved.leaderEpoch += 1;
  }

  #port(nodeId: number): number {
    return (this.#servers.get(nodeId)!.address() as { port: number }).port;
  }

  #serve(nodeId: number, socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        const size = received.readInt32BE(0);
        this.#answer(nodeId, socket, received.subarray(4, 4 + size));
        received = received.subarray(4 + size);
      }
    });
  }

  #answer(nodeId: number, socket: Socket, frame: Buffer): void {
    const input = new WireReader(frame);
    const api = input.int16();
    const version = input.int16();
    const correlationId = input.int32();
    input.legacyNullableString();
    input.tags();
    const out = new WireWriter(4096);
    out.int32(0);
    out.int32(correlationId);
    if (api !== 18) out.noTags();
    switch (api) {
      case 18:
        this.#apiVersions(out);
        break;
      case 3:
        this.#metadata(out);
        break;
      case 22:
        out.int32(0);
        out.int16(0);
        out.int64(77n);
        out.int16(0);
        out.noTags();
        break;
      case 32:
        this.#configs(out);
        break;
      case 0: {
        this.inFlight += 1;
        this.maxInFlight = Math.max(this.maxInFlight, this.inFlight);
        const request = this.requests++;
        this.requestTimes.push(performance.now());
        this.#produce(nodeId, request, input, out);
        // Later requests are read first, so that several are in flight as they are with a real broker.
        setImmediate(() => {
          this.inFlight -= 1;
          const fault = this.onAnswer(nodeId, request);
          if (fault === 'drop') socket.destroy();
          else if (fault === 'none') finish(socket, out);
        });
        return;
      }
      default:
        throw new Error(`the script has no answer to API ${api} version ${version}`);
    }
    finish(socket, out);
  }

  #apiVersions(out: WireWriter): void {
    out.int16(0);
    out.array(
      [
        [0, 11],
        [3, 12],
        [18, 4],
        [22, 5],
        [32, 4],
      ] as const,
      ([key, max]) => {
        out.int16(key);
        out.int16(0);
        out.int16(max);
        out.noTags();
      },
    );
    out.int32(0);
    out.noTags();
  }

  #metadata(out: WireWriter): void {
    this.metadataRequests += 1;
    out.int32(0);
    out.array([...this.#servers.keys()], (nodeId) => this.#broker(out, nodeId));
    out.nullableString(null);
    out.int32(1);
    out.array([this.topic], (name) => {
      out.int16(0);
      out.string(name);
      out.raw(Buffer.alloc(16, this.topicId));
      out.boolean(false);
      out.array([...this.#partitions.entries()], ([index, partition]) => {
        out.int16(0);
        out.int32(index);
        out.int32(partition.leaderId);
        out.int32(partition.leaderEpoch);
        for (let list = 0; list < 3; list++) out.array([], () => {});
        out.noTags();
      });
      out.int32(0);
      out.noTags();
    });
    out.noTags();
  }

  #broker(out: WireWriter, nodeId: number): void {
    out.int32(nodeId);
    out.string('127.0.0.1');
    out.int32(this.#port(nodeId));
    out.nullableString(null);
    out.noTags();
  }

  #configs(out: WireWriter): void {
    out.int32(0);
    out.array([0], () => {
      out.int16(this.maxMessageBytes === null ? 29 : 0);
      out.nullableString(null);
      out.int8(2);
      out.string(this.topic);
      out.array(this.maxMessageBytes === null ? [] : [this.maxMessageBytes], (bytes) => {
        out.string('max.message.bytes');
        out.nullableString(String(bytes));
        out.boolean(false);
        out.int8(5);
        out.boolean(false);
        out.array([], () => {});
        out.int8(0);
        out.nullableString(null);
        out.noTags();
      });
      out.noTags();
    });
    out.noTags();
  }

  #produce(nodeId: number, request: number, input: WireReader, out: WireWriter): void {
    input.nullableString();
    input.int16();
    input.int32();
    const answers: { partition: number; code: number; offset: number; hint: boolean }[] = [];
    input.array(() => {
      const topic = input.string();
      input.array(() => {
        const partition = input.int32();
        const bytes = Buffer.from(input.nullableBytes()!);
        input.tags();
        const fault = this.onBatch({ nodeId, request, topic, partition, baseSequence: bytes.readInt32BE(53) });
        const appends = fault === 'none' || fault.appended === true;
        const result = appends ? this.#append(nodeId, partition, bytes) : { code: 0, offset: -1 };
        if (fault !== 'none' && 'missing' in fault) return;
        const code = fault === 'none' ? result.code : fault.code;
        const hint = code === NOT_LEADER && (fault === 'none' || fault.hint === true);
        answers.push({ partition, code, offset: code === 0 ? result.offset : -1, hint });
      });
      input.tags();
    });
    out.array(answers.length === 0 ? [] : [this.topic], (topic) => {
      out.string(topic);
      out.array(answers, (answer) => this.#partitionAnswer(out, answer));
      out.noTags();
    });
    out.int32(this.throttleTimeMs);
    out.noTags();
  }

  #partitionAnswer(out: WireWriter, answer: { partition: number; code: number; offset: number; hint: boolean }): void {
    out.int32(answer.partition);
    out.int16(answer.code);
    out.int64(BigInt(answer.offset));
    out.int64(-1n);
    out.int64(0n);
    out.array([], () => {});
    out.nullableString(null);
    if (!answer.hint) {
      out.noTags();
      return;
    }
    const { leaderId, leaderEpoch } = this.#partitions[answer.partition]!;
    out.unsignedVarint(1);
    out.unsignedVarint(0);
    out.unsignedVarint(9);
    out.int32(leaderId);
    out.int32(leaderEpoch);
    out.noTags();
  }

  #append(nodeId: number, index: number, bytes: Buffer): { code: number; offset: number } {
    const partition = this.#partitions[index]!;
    if (partition.leaderId !== nodeId) return { code: NOT_LEADER, offset: -1 };
    if (bytes.readUInt32BE(17) !== crc32c(bytes.subarray(21))) return { code: 2, offset: -1 };
    const baseSequence = bytes.readInt32BE(53);
    const count = bytes.readInt32BE(57);
    const known = partition.log.slice(-REMEMBERED_BATCHES).find((batch) => batch.baseSequence === baseSequence);
    if (known !== undefined && known.count === count) return { code: 0, offset: known.baseOffset };
    // As a real broker: from a producer that it does not know yet, it takes any sequence.
    const expected = partition.nextSequence === -1 ? baseSequence : partition.nextSequence;
    if (baseSequence !== expected) {
      const seen = partition.log.some((batch) => batch.baseSequence === baseSequence);
      return { code: seen ? DUPLICATE : OUT_OF_ORDER, offset: -1 };
    }
    const baseOffset = partition.nextOffset;
    partition.log.push({ baseSequence, count, baseOffset, bytes });
    partition.nextSequence = (baseSequence + count) & 0x7fffffff;
    partition.nextOffset += count;
    return { code: 0, offset: baseOffset };
  }
}

function finish(socket: Socket, out: WireWriter): void {
  const frame = Buffer.from(out.written);
  frame.writeInt32BE(frame.length - 4, 0);
  if (!socket.destroyed) socket.write(frame);
}
