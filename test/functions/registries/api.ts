/** The API of registries in a deployment, as its users call it. */
import { ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { RegistriesDependencies } from '../../../functions/registries/dependencies.ts';
import type { Caller } from '../../../shared/http/operation.ts';
import { startDeployment, type TestDeployment } from '../deployment.ts';
import { ada, type Call, call } from '../event.ts';
import { registriesService } from './service.ts';

export const quay = {
  title: 'Quay',
  url: 'https://quay.io/team',
  type: 'quay',
  username: 'robot',
  password: 'hunter2',
};

/** For the tests of one file: a deployment, in which every test has an organisation of its own. */
export function registriesApi() {
  let deployment: TestDeployment;
  let service: ReturnType<typeof registriesService>;
  let caller: Caller;
  let made = 0;
  beforeAll(async () => {
    deployment = await startDeployment();
  });
  afterAll(() => deployment?.stop());
  beforeEach(() => {
    caller = { ...ada, organisation: `org${++made}` };
    service = registriesService(deployment);
  });
  const ask = (request: Omit<Call, 'route'> & { route?: string }) =>
    call(service.handler, { route: '/v1/registries', caller, ...request });
  return {
    deployment: () => deployment,
    service: () => service,
    organisation: () => caller.organisation,
    /** From here on the function is another one. */
    serveWith(replaced: Partial<RegistriesDependencies>): void {
      service = registriesService(deployment, replaced);
    },
    /** From here on somebody else calls. */
    callAs(other: Partial<Caller>): void {
      caller = { ...caller, ...other };
    },
    ask,
    create: (body: object, headers: Record<string, string> = {}) => ask({ method: 'POST', body, headers }),
    one: (method: string, id: string, more: Partial<Call> = {}) =>
      ask({ method, route: '/v1/registries/{id}', params: { id }, ...more }),
    /** Names of the secrets that the test's organisation has. */
    async secretNames(): Promise<string[]> {
      const { SecretList = [] } = await deployment.secretsManager.send(new ListSecretsCommand({}));
      return SecretList.flatMap(({ Name = '' }) =>
        Name.startsWith(`slipway/test/${caller.organisation}/`) ? [Name] : [],
      );
    },
    async secretOf(id: string): Promise<unknown> {
      const name = `slipway/test/${caller.organisation}/registries/${id}`;
      return JSON.parse((await deployment.secrets.read(name)) ?? 'null');
    },
  };
}
