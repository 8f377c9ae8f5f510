/** A function's operations in a deployment, as users call them. */
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { Caller } from '../../shared/http/operation.ts';
import { startDeployment, type TestDeployment } from './deployment.ts';
import { ada, type Call, call } from './event.ts';
import { join } from './joined.ts';

interface Service {
  handler: Parameters<typeof call>[0];
}

/**
 * For the tests of one file: a deployment, in which every test has an organisation of its own, whose admin asks.
 * `serviceOf` makes the function, with some of its parts replaced.
 */
export function calledFunction<S extends Service, P>(
  serviceOf: (deployment: TestDeployment, replaced?: P) => S,
) {
  let deployment: TestDeployment;
  let service: S;
  let caller: Caller;
  let made = 0;
  /** Who asked before: they were members then. */
  const joined = new Set<string>();
  beforeAll(async () => {
    deployment = await startDeployment();
  });
  afterAll(() => deployment?.stop());
  beforeEach(() => {
    service = serviceOf(deployment);
    caller = { ...ada, organisation: `org${++made}` };
  });
  return {
    deployment: () => deployment,
    service: () => service,
    caller: () => caller,
    /** From here on in this test the function has these parts. */
    serveWith(replaced?: P): void {
      service = serviceOf(deployment, replaced);
    },
    /** From here on in this test somebody else asks. */
    callAs(other: Partial<Caller>): void {
      caller = { ...caller, ...other };
    },
    async ask(method: string, route: string, more: Partial<Call> = {}) {
      const asking = more.caller ?? caller;
      const name = `${asking.organisation} ${asking.memberId}`;
      if (!joined.has(name)) await join(deployment.table, asking);
      joined.add(name);
      return await call(service.handler, { method, route, caller, ...more });
    },
  };
}
