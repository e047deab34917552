import { readFileSync } from 'node:fs';
import { readProcessMemory } from '../support/process-memory.ts';

/** Kernel clock ticks a second; 100 on every Linux that Node runs on (`getconf CLK_TCK`). */
const TICKS_PER_SECOND = 100;

/** CPU time of a process with all its threads, in seconds. From `proc_pid_stat(5)`, fields 14 and 15. */
export function cpuSeconds(pid: number): number {
  const fields = statFields(pid);
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** CPU time of the children of this process that have ended, in seconds: fields 16 and 17. */
export function endedChildrenCpuSeconds(): number {
  const fields = statFields('self');
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}

/** From the third field on: the second is a name that may hold anything. */
function statFields(pid: number | 'self'): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Largest resident set the process ever had, in MiB. */
export function peakRssMiB(pid: number): number {
  return readProcessMemory(pid).peakResidentBytes / 2 ** 20;
}
