import { readFileSync } from 'node:fs';

/** Memory of a process as Linux counts it, in bytes. */
export interface ProcessMemory {
  readonly residentBytes: number;
  /** The most that was ever resident. */
  readonly peakResidentBytes: number;
}

export function readProcessMemory(pid: number): ProcessMemory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return { residentBytes: kilobytes(status, 'VmRSS') * 1024, peakResidentBytes: kilobytes(status, 'VmHWM') * 1024 };
}

function kilobytes(status: string, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status);
  if (found === null) throw new Error(`/proc/<pid>/status has no ${name}`);
  return Number(found[1]);
}
