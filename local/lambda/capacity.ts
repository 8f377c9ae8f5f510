/** How many environments one machine bears. Lambda has hosts enough; a laptop would swap, and then answer nothing in time. */
import { availableParallelism, totalmem } from 'node:os';

/** Resident memory of an environment that has served a request, with room for what it works on. */
const environmentBytes = 96 * 1024 * 1024;
/** Of the machine's memory; builds and jobs run beside the functions. */
const memoryShare = 0.4;
/** Environments mostly wait for others: for the table, for a registry, for the next line of a log. */
const perCore = 50;
/** A request needs its authorizer and its function, and what they start needs one more. */
const least = 4;

export interface Capacity {
  /** Environments of all functions together: starting, at work or idle. */
  environments: number;
  /** Environments of one function, so that its callers can't keep every other function from running. */
  perFunction: number;
  /** Environments that start at once: starting is all processor time. */
  starting: number;
  /** How long an invocation waits for its turn before it is refused as beyond the account's concurrency. */
  patienceMs: number;
}

export function capacityOf(memoryBytes: number, cores: number): Capacity {
  const environments = Math.max(
    least,
    Math.min(Math.floor((memoryBytes * memoryShare) / environmentBytes), cores * perCore),
  );
  return {
    environments,
    perFunction: Math.ceil(environments * 0.75),
    starting: Math.max(2, cores),
    patienceMs: 25_000,
  };
}

/** Of this machine, or of the control group that this process is limited to. */
export function machineCapacity(): Capacity {
  // 0, or more than there is, where nothing limits the process.
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return capacityOf(Math.min(totalmem(), limit), availableParallelism());
}
