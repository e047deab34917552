import { promisify } from 'node:util';
import { gzip, gzipSync, constants as zlib, zstdCompressSync } from 'node:zlib';
import type { Compression } from '../core/settings.ts';
import { inTurns } from './in-turns.ts';
import { ZstdFrames } from './zstd-frames.ts';

/** One codec of the record batch format. */
export interface Compressor {
  /** The codec's bits in the attributes of a batch. */
  readonly attributes: number;
  compressSync(records: Buffer): Buffer;
  /**
   * The same on another thread; null where the codec has no such form. The output may be a part of `target`, which has room
   * for as much as the records.
   */
  readonly compress: ((records: Buffer, target: Buffer | null) => Promise<Buffer>) | null;
}

const gzipAsync = promisify(gzip);

/** A compression holds its context and its output while it waits for a thread: no more than can run. */
const AT_ONCE = 3;

/** Level 1 costs less CPU than lz4 in WebAssembly and packs better. */
const ZSTD_PARAMS = { [zlib.ZSTD_c_compressionLevel]: 1 };

/** Null for `none`. lz4 and snappy are loaded only when asked for: they come with a whole Kafka client. */
export async function createCompressor(compression: Compression): Promise<Compressor | null> {
  switch (compression) {
    case 'none':
      return null;
    case 'gzip':
      return {
        attributes: 1,
        compressSync: (records) => gzipSync(records, { level: 1, chunkSize: chunkSize(records) }),
        compress: inTurns(AT_ONCE, (records: Buffer) =>
          gzipAsync(records, { level: 1, chunkSize: chunkSize(records) }),
        ),
      };
    case 'zstd':
      return {
        attributes: 4,
        compressSync: (records) => zstdCompressSync(records, { params: ZSTD_PARAMS, chunkSize: chunkSize(records) }),
        compress: inTurns(AT_ONCE, zstdFrames()),
      };
    case 'snappy':
    case 'lz4': {
      const { compressionsAlgorithms } = await import('@platformatic/kafka');
      const { compressSync } = compressionsAlgorithms[compression];
      return {
        attributes: compression === 'snappy' ? 2 : 3,
        compressSync: (records) => Buffer.from(compressSync(records)),
        compress: null,
      };
    }
  }
}

/** Contexts are used again; there are as many as were ever needed at the same time. */
function zstdFrames(): (records: Buffer, target: Buffer | null) => Promise<Buffer> {
  const idle: ZstdFrames[] = [];
  return async (records, target) => {
    const frames = idle.pop() ?? new ZstdFrames(ZSTD_PARAMS);
    try {
      return await frames.compress(records, target);
    } finally {
      if (frames.usable) idle.push(frames);
    }
  };
}

/** Output room for the usual case in one piece: every further piece is another trip to the other thread. */
function chunkSize(records: Buffer): number {
  return Math.max(1024, records.length >>> 1);
}
