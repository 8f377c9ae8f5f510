/** How often each operation was called, as CloudWatch's `AWS/Usage` metrics would say: answered and refused alike. */
export interface CallCounts {
  add(service: string, operation: string): void;
  /** By `service:operation`, since the start. */
  read(): Record<string, number>;
}

/** Operations are named by callers, who may name any; what comes later than these is counted together. */
const namesLimit = 1000;

export function createCallCounts(): CallCounts {
  const counts = new Map<string, number>();
  return {
    add(service, operation) {
      const own = `${service}:${operation}`;
      const name = counts.has(own) || counts.size < namesLimit ? own : 'other';
      counts.set(name, (counts.get(name) ?? 0) + 1);
    },
    read: () => Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** REST protocols name no operation: the path does it, except where it is data. */
export const restOperation = (service: string, method: string, path: string): string =>
  service === 's3' ? method : `${method} ${path}`;
