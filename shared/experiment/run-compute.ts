import { invalid } from '../http/problem.ts';
import type { RunCompute, Stage } from '../model/stage.ts';

const offered = (stage: Stage): RunCompute[] => stage.computes.filter((one) => one.use === 'run');

/** The compute of that name, or the first that runs experiments. Throws 422 with those on offer. */
export function runCompute(stage: Stage, name: string | undefined): RunCompute {
  const computes = offered(stage);
  const found = name === undefined ? computes[0] : computes.find((one) => one.name === name);
  if (found) return found;
  const names = computes.map((one) => one.name).join(', ');
  throw invalid({
    pointer: '/compute',
    message: names
      ? `must be one of the computes ${names}`
      : 'must be omitted: this deployment has no computes for experiments',
  });
}

/** The compute that a stored experiment names; missing where the configuration has changed since. */
export function findRunCompute(stage: Stage, name: string): RunCompute | undefined {
  return offered(stage).find((one) => one.name === name);
}
