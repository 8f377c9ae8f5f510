/** The API of registries in a deployment, as its users call it. */
import { ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import { calledFunction } from '../called.ts';
import type { Call } from '../event.ts';
import { registriesService } from './service.ts';

export const quay = {
  title: 'Quay',
  url: 'https://quay.io/team',
  type: 'quay',
  username: 'robot',
  password: 'hunter2',
};

/** For the tests of one file, as `calledFunction`. */
export function registriesApi() {
  const called = calledFunction(registriesService);
  const { deployment } = called;
  const organisation = () => called.caller().organisation;
  const ask = ({ method, route = '/v1/registries', ...more }: Omit<Call, 'route'> & { route?: string }) =>
    called.ask(method, route, more);
  return {
    ...called,
    organisation,
    ask,
    create: (body: object, headers: Record<string, string> = {}) => ask({ method: 'POST', body, headers }),
    one: (method: string, id: string, more: Partial<Call> = {}) =>
      ask({ method, route: '/v1/registries/{id}', params: { id }, ...more }),
    /** Names of the secrets that the test's organisation has. */
    async secretNames(): Promise<string[]> {
      const { SecretList = [] } = await deployment().secretsManager.send(new ListSecretsCommand({}));
      return SecretList.flatMap(({ Name = '' }) =>
        Name.startsWith(`slipway/test/${organisation()}/`) ? [Name] : [],
      );
    },
    async secretOf(id: string): Promise<unknown> {
      const name = `slipway/test/${organisation()}/registries/${id}`;
      return JSON.parse((await deployment().secrets.read(name)) ?? 'null');
    },
  };
}
