import assert from 'node:assert/strict';
import { PacketFramer } from '../../connectors/mysql/protocol/packet-framer.ts';
import { ProtocolError } from '../../connectors/mysql/protocol/protocol-error.ts';
import { RECORDINGS, stepsOf } from '../fixtures/mysql/recorded.ts';
import { mutated, pieces, type Random } from './random.ts';
import { type FuzzTarget, readOrRefuse, type Verdict } from './target.ts';

const ALLOCATION_LIMIT = 64 * 1024 * 1024;

/** What a framer tells of a stream: its events, errors and the end, then whether it refused the rest. */
function told(chunks: readonly Buffer[]): { readonly said: readonly string[]; readonly verdict: Verdict } {
  const said: string[] = [];
  const framer = new PacketFramer(
    {
      event: (bytes, start, end) => {
        assert.ok(start <= end && end <= bytes.length, 'an event outside of its bytes');
        said.push(`event ${bytes.toString('hex', start, end)}`);
        return true;
      },
      spill: () => null,
      error: (number, message) => said.push(`error ${number} ${message}`),
      endOfFile: () => said.push('end'),
    },
    (bytes) => {
      assert.ok(bytes <= ALLOCATION_LIMIT, `${bytes} bytes are asked for`);
      return Buffer.alloc(bytes);
    },
  );
  const verdict = readOrRefuse(() => {
    for (const chunk of chunks) framer.push(chunk);
  }, ProtocolError);
  framer.close();
  return { said, verdict };
}

function packetOf(event: Buffer, sequence: number): Buffer {
  const header = Buffer.alloc(5);
  header.writeUIntLE(event.length + 1, 0, 3);
  header[3] = sequence & 0xff;
  return Buffer.concat([header, event]);
}

/** The packets of a dump, mutated, and cut anywhere: the cuts must not matter. */
export function binlogPackets(): FuzzTarget {
  const dumps = RECORDINGS.flatMap((recording) => [...stepsOf(recording).values()]).filter(({ length }) => length > 0);
  return {
    name: 'binlog-packets',
    weight: 15,
    next(random: Random) {
      const events = dumps[random(dumps.length)]!;
      const from = random(events.length);
      const stream = Buffer.concat(events.slice(from, from + 1 + random(6)).map(packetOf));
      const bytes = mutated(stream, random);
      const cut = pieces(bytes, random, 1 + random(200));
      const judge = (): Verdict => {
        const whole = told([bytes]);
        assert.deepEqual(told(cut), whole);
        assertDeclared(bytes, whole.said);
        return whole.verdict;
      };
      return { input: bytes.toString('hex'), judge };
    },
  };
}

/** Each event is what the length in front of it says, read here a second time. */
function assertDeclared(bytes: Buffer, said: readonly string[]): void {
  let at = 0;
  for (const line of said) {
    const length = bytes.readUIntLE(at, 3);
    const packet = bytes.subarray(at + 4, at + 4 + length);
    assert.equal(packet.length, length, 'a packet that has not ended');
    if (line.startsWith('event')) assert.equal(line, `event ${packet.toString('hex', 1)}`);
    at += 4 + length;
  }
}
