import assert from 'node:assert/strict';
import { CopyStreamFramer } from '../../connectors/postgres/protocol/copy-stream-framer.ts';
import { encodeRelation } from '../../connectors/postgres/protocol/encode-relation.ts';
import { formatLsn } from '../../connectors/postgres/protocol/lsn.ts';
import { MessageType } from '../../connectors/postgres/protocol/pgoutput-messages.ts';
import {
  checkType,
  parseBegin,
  parseCommit,
  parseMessage,
  parseOrigin,
  parseRelation,
  parseTruncate,
} from '../../connectors/postgres/protocol/pgoutput-parser.ts';
import { ProtocolError } from '../../connectors/postgres/protocol/protocol-error.ts';
import { FatalError } from '../../src/core/errors.ts';
import {
  decodeAll,
  type FakeTable,
  fakeCatalog,
  recordedMessages,
} from '../unit/connectors/postgres/fixture-decoding.ts';
import { mutated, pieces, type Random } from './random.ts';
import { type FuzzTarget, readOrRefuse, type Verdict } from './target.ts';

/** Messages that the recording lacks, from PostgreSQL 17: origin, type, truncate, logical message, relation. */
const MORE = [
  '4f0000000000abcdef7461696c726163655f6669787475726500',
  '5900004ba87075626c6963006d6f6f6400',
  '54000000020000004bad00004bb4',
  '4d00000000000389eba06f757473696465000000000200ff',
  '5200004bbb7075626c69630062795f696e646578006900030069640000000017ffffffff01636f64650000000019ffffffff00760000000019ffffffff',
].map((hex) => Buffer.from(hex, 'hex'));

/** The OIDs and columns of the recording. */
const TABLES: Record<number, FakeTable> = {
  19373: { columns: { id: { notNull: true }, v: {}, big: {}, m: {} }, primaryKey: ['id'] },
  19380: { columns: { id: { notNull: true }, v: { notNull: true }, big: {} }, primaryKey: ['id'] },
  19387: { columns: { id: { notNull: true }, code: { notNull: true }, v: {} }, identityIndex: ['code'] },
};
const EPOCH_US = Date.UTC(2000, 0, 1) * 1000;

type Check = (bytes: Buffer, start: number, end: number) => void;

const lsnAt = (bytes: Buffer, at: number) => ({ high: bytes.readUInt32BE(at), low: bytes.readUInt32BE(at + 4) });
/** What no message says about itself is compared with the bytes, read here a second time. */
const CHECKS: Readonly<Record<number, Check>> = {
  [MessageType.begin]: (bytes, start, end) => {
    const { finalLsn, commitTimeUs, xid } = parseBegin(bytes, start, end);
    assert.deepEqual(finalLsn, lsnAt(bytes, start + 1));
    assert.equal(commitTimeUs, Number(bytes.readBigInt64BE(start + 9)) + EPOCH_US);
    assert.equal(xid, bytes.readUInt32BE(start + 17));
    assert.equal(end, start + 21);
  },
  [MessageType.commit]: (bytes, start, end) => {
    const { commitLsn, endLsn, commitTimeUs } = parseCommit(bytes, start, end);
    assert.deepEqual([commitLsn, endLsn], [lsnAt(bytes, start + 2), lsnAt(bytes, start + 10)]);
    assert.equal(commitTimeUs, Number(bytes.readBigInt64BE(start + 18)) + EPOCH_US);
    assert.equal(end, start + 26);
  },
  [MessageType.relation]: (bytes, start, end) => {
    const relation = parseRelation(bytes, start, end);
    assert.deepEqual(parseRelation(encodeRelation(relation), 0, encodeRelation(relation).length), relation);
  },
  [MessageType.origin]: (bytes, start, end) => {
    const { lsn, name } = parseOrigin(bytes, start, end);
    assert.deepEqual(lsn, lsnAt(bytes, start + 1));
    assert.equal(name, bytes.toString('utf8', start + 9, end - 1));
  },
  [MessageType.type]: checkType,
  [MessageType.truncate]: (bytes, start, end) => {
    const { relationOids } = parseTruncate(bytes, start, end);
    assert.deepEqual(
      relationOids,
      relationOids.map((_, index) => bytes.readUInt32BE(start + 6 + 4 * index)),
    );
    assert.equal(end, start + 6 + 4 * relationOids.length);
  },
  [MessageType.message]: (bytes, start, end) => {
    const { contentStart, contentEnd } = parseMessage(bytes, start, end);
    assert.ok(start < contentStart && contentStart <= contentEnd && contentEnd === end);
  },
};

/** Every kind of message alone: parsed the same between other bytes, and true to its own bytes. */
export function pgoutputMessages(): FuzzTarget {
  const all = [...recordedMessages().map(({ bytes }) => bytes), ...MORE].filter(
    (bytes) => CHECKS[bytes[0]!] !== undefined,
  );
  const kinds = [...Map.groupBy(all, (bytes) => bytes[0]!).values()];
  return {
    name: 'pgoutput-messages',
    weight: 20,
    next(random: Random) {
      const kind = kinds[random(kinds.length)]!;
      const bytes = mutated(kind[random(kind.length)]!, random, 1);
      const check = CHECKS[bytes[0]!]!;
      const judge = (): Verdict => {
        const verdict = readOrRefuse(() => check(bytes, 0, bytes.length), ProtocolError);
        for (const fill of [0x00, 0xff]) {
          const around = Buffer.concat([Buffer.alloc(5, fill), bytes, Buffer.alloc(40, fill)]);
          assert.equal(
            readOrRefuse(() => check(around, 5, 5 + bytes.length), ProtocolError),
            verdict,
          );
        }
        return verdict;
      };
      return { input: bytes.toString('hex'), judge };
    },
  };
}

/** One mutated message in a recorded stream that is decoded to its changes, rows among them. */
export function pgoutputStream(): FuzzTarget {
  const recorded = recordedMessages();
  const judge = async (messages: readonly { readonly lsn: string; readonly bytes: Buffer }[]): Promise<Verdict> => {
    try {
      await decodeAll(messages, { catalog: fakeCatalog(TABLES) }, (batch) => {
        for (let index = 0; index < batch.count; index++) assert.ok(batch.kinds[index] !== undefined);
      });
      return 'decoded';
    } catch (error) {
      if (error instanceof FatalError) return 'refused';
      throw error;
    }
  };
  return {
    name: 'pgoutput-stream',
    weight: 8,
    next(random: Random) {
      const at = random(recorded.length);
      const messages = recorded.map((message, index) =>
        index === at ? { ...message, bytes: mutated(message.bytes, random) } : message,
      );
      return { input: `message ${at}: ${messages[at]!.bytes.toString('hex')}`, judge: () => judge(messages) };
    },
  };
}

/** What a framer tells of a stream, and whether it refused the rest. */
function told(chunks: readonly Buffer[]): { readonly said: readonly string[]; readonly verdict: Verdict } {
  const said: string[] = [];
  const framer = new CopyStreamFramer(
    {
      walData: (bytes, start, end, high, low) => {
        assert.ok(start <= end && end <= bytes.length);
        said.push(`data ${formatLsn({ high, low })} ${bytes.toString('hex', start, end)}`);
      },
      keepalive: (high, low, wantsReply) => said.push(`keepalive ${formatLsn({ high, low })} ${wantsReply}`),
      other: (message) => said.push(`other ${message.toString('hex')}`),
    },
    // Only what arrives is written into it: a length that is not true costs no memory.
    (bytes) => Buffer.allocUnsafeSlow(bytes),
  );
  const verdict = readOrRefuse(() => {
    for (const chunk of chunks) framer.push(chunk);
  }, ProtocolError);
  return { said, verdict };
}

/** A copy stream with recorded messages and keepalives, mutated, and cut anywhere: the cuts must not matter. */
export function copyStream(): FuzzTarget {
  const framed = (body: Buffer): Buffer => {
    const head = Buffer.alloc(5);
    head.write('d', 'latin1');
    head.writeUInt32BE(4 + body.length, 1);
    return Buffer.concat([head, body]);
  };
  const data = recordedMessages().map(({ bytes }) =>
    framed(Buffer.concat([Buffer.from('w'), Buffer.alloc(24, 7), bytes])),
  );
  const keepalive = framed(Buffer.concat([Buffer.from('k'), Buffer.alloc(16, 9), Buffer.of(1)]));
  return {
    name: 'copy-stream',
    weight: 10,
    next(random: Random) {
      const from = random(data.length);
      const bytes = mutated(Buffer.concat([keepalive, ...data.slice(from, from + 4), keepalive]), random);
      const cut = pieces(bytes, random, 1 + random(120));
      const judge = (): Verdict => {
        const whole = told([bytes]);
        assert.deepEqual(told(cut), whole);
        return whole.verdict;
      };
      return { input: bytes.toString('hex'), judge };
    },
  };
}
