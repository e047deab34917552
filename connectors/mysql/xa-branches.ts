import type { ArenaPool, MessageArena } from '../../src/core/message-arena.ts';
import { UnnamedFile } from '../../src/core/unnamed-file.ts';
import type { MySqlPosition } from './positions.ts';
import type { Gtid } from './protocol/gtid.ts';
import { SPILL_ADVICE } from './spill-advice.ts';

/** Bytes of events that a branch keeps in memory; the rest is in a file without a name. */
const MEMORY_BYTES = 1024 * 1024;
const LENGTH_BYTES = 4;

/**
 * The events of one prepared XA transaction, kept until it is decided. They may be as many as the server can log, so
 * beyond a limit they lie in a temporary file.
 */
export class XaBranch {
  /** Where the stream must start again for as long as the branch is undecided. */
  readonly resumeAt: MySqlPosition;
  /** Of the group that prepared it; executed once it is decided. */
  readonly gtid: Gtid | null;
  #memory: Buffer[] = [];
  #memoryBytes = 0;
  #file: UnnamedFile | null = null;

  constructor(resumeAt: MySqlPosition, gtid: Gtid | null) {
    this.resumeAt = resumeAt;
    this.gtid = gtid;
  }

  /** Keeps a copy of the event in `bytes[start, end)`. */
  append(bytes: Buffer, start: number, end: number): void {
    const entry = Buffer.allocUnsafe(LENGTH_BYTES + end - start);
    entry.writeUInt32LE(end - start, 0);
    bytes.copy(entry, LENGTH_BYTES, start, end);
    this.#memory.push(entry);
    this.#memoryBytes += entry.length;
    if (this.#memoryBytes > MEMORY_BYTES) this.#spill();
  }

  /** The events in order, in arenas of the pool. The branch is gone afterwards. */
  *arenas(pool: ArenaPool, receivedAtMs: number): Generator<MessageArena, void, void> {
    try {
      if (this.#file !== null) {
        this.#spill();
        yield* this.#fromFile(this.#file, pool, receivedAtMs);
      } else {
        yield* this.#fromMemory(pool, receivedAtMs);
      }
    } finally {
      this.discard();
    }
  }

  discard(): void {
    this.#memory = [];
    this.#memoryBytes = 0;
    this.#file?.close();
    this.#file = null;
  }

  #spill(): void {
    this.#file ??= new UnnamedFile(SPILL_ADVICE);
    for (const entry of this.#memory) this.#file.append(entry, 0, entry.length);
    this.#memory = [];
    this.#memoryBytes = 0;
  }

  *#fromMemory(pool: ArenaPool, receivedAtMs: number): Generator<MessageArena, void, void> {
    let arena: MessageArena | null = null;
    for (const entry of this.#memory) {
      const length = entry.length - LENGTH_BYTES;
      if (arena === null || !arena.hasRoomFor(length)) {
        if (arena !== null) yield arena;
        arena = openArena(pool, length, receivedAtMs);
      }
      arena.addMessage(entry, LENGTH_BYTES, entry.length, 0, 0);
    }
    if (arena !== null) yield arena;
  }

  *#fromFile(file: UnnamedFile, pool: ArenaPool, receivedAtMs: number): Generator<MessageArena, void, void> {
    const lengthBytes = Buffer.alloc(LENGTH_BYTES);
    let arena: MessageArena | null = null;
    for (let at = 0; at < file.length; ) {
      file.read(lengthBytes, 0, LENGTH_BYTES, at);
      const length = lengthBytes.readUInt32LE(0);
      if (arena === null || !arena.hasRoomFor(length)) {
        if (arena !== null) yield arena;
        arena = openArena(pool, length, receivedAtMs);
      }
      file.read(arena.bytes, arena.length, length, at + LENGTH_BYTES);
      arena.addInPlace(length, 0, 0);
      at += LENGTH_BYTES + length;
    }
    if (arena !== null) yield arena;
  }
}

/** Prepared transactions by their xid, in the order in which they were prepared. */
export class XaBranches {
  readonly #branches = new Map<string, XaBranch>();

  get oldest(): XaBranch | null {
    return this.#branches.values().next().value ?? null;
  }

  get(xid: string): XaBranch | undefined {
    return this.#branches.get(xid);
  }

  /** The server has one branch of a name at a time; one of the same name from before a restart is replaced. */
  set(xid: string, branch: XaBranch): void {
    this.#branches.get(xid)?.discard();
    this.#branches.delete(xid);
    this.#branches.set(xid, branch);
  }

  delete(xid: string): void {
    this.#branches.delete(xid);
  }

  discardAll(): void {
    for (const branch of this.#branches.values()) branch.discard();
    this.#branches.clear();
  }
}

function openArena(pool: ArenaPool, length: number, receivedAtMs: number): MessageArena {
  const arena = pool.take(length);
  arena.holders = 1;
  arena.receivedAtMs = receivedAtMs;
  return arena;
}
