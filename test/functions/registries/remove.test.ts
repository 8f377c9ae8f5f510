/** R3: no order of events leaves an image whose registry is gone or elsewhere, unless somebody forced it. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { addReference } from '../../../functions/image-jobs/reference.ts';
import { removeImage } from '../../../functions/images/change.ts';
import { replaceSettings } from '../../../functions/organisation/settings.ts';
import type { RegistriesDependencies } from '../../../functions/registries/dependencies.ts';
import { removeRegistry } from '../../../functions/registries/remove.ts';
import { updateRegistry } from '../../../functions/registries/update.ts';
import type { Secrets } from '../../../shared/aws/secrets.ts';
import { newId } from '../../../shared/model/id.ts';
import { newImageSchema } from '../../../shared/model/image.ts';
import { settingsSchema } from '../../../shared/model/organisation.ts';
import type { RegistryAccess } from '../../../shared/registry/access.ts';
import { createNetwork } from '../../../shared/registry/network.ts';
import { createRegistryStore } from '../../../shared/store/registries.ts';
import { getSettings } from '../../../shared/store/settings.ts';
import type { Table } from '../../../shared/store/table.ts';
import { startDeployment, type TestDeployment, testStage } from '../deployment.ts';
import { ada } from '../event.ts';
import { ecrRegistry } from './service.ts';

let deployment: TestDeployment;
beforeAll(async () => {
  deployment = await startDeployment();
});
afterAll(() => deployment?.stop());

const organisation = 'acme';
const asking = { organisation, email: 'ada@acme.example', now: new Date() };
const anyManifest = { digest: `sha256:${'a'.repeat(64)}`, sizeBytes: 1, platforms: ['linux/amd64'] };
const access = {
  clientFor: async () => ({ resolveManifest: async () => anyManifest }),
} as unknown as RegistryAccess;

let registryId: string;
const connect = async () => {
  registryId = newId('registry', Date.now());
  await deployment.table.put(organisation, 'registries', registryId, {
    id: registryId,
    title: 'Quay',
    type: 'quay',
    visibility: 'private',
    host: 'quay.io',
    path: '',
    insecure: false,
    createdAt: asking.now.toISOString(),
    createdBy: asking.email,
    updatedAt: asking.now.toISOString(),
    version: 1,
  });
};
beforeEach(connect);

const registriesOf = (table: Table) => createRegistryStore(table, ecrRegistry, []);

const add = (table = deployment.table) => {
  const id = newId('image', Date.now());
  return addReference(
    { table, access, registries: registriesOf(table) },
    asking,
    id,
    newImageSchema.parse({ source: { type: 'reference' }, registryId, repository: `team/${id}`, tag: '1' }),
  );
};

function removalOver(table: Table, secrets: Secrets = deployment.secrets): RegistriesDependencies {
  const network = createNetwork({ privateHosts: [] });
  return { table, secrets, registries: registriesOf(table), access, network, stage: testStage, ecrRegistry };
}
const remove = (table = deployment.table, secrets?: Secrets, force = false) =>
  removeRegistry(removalOver(table, secrets), asking, registryId, { force, ifMatch: undefined });

const isThere = async () =>
  (await deployment.table.get(organisation, 'registries', registryId)) !== undefined;
const images = async () =>
  (await deployment.table.all(organisation, 'images')).filter((image) => image.registryId === registryId);

/** Every method first counts a step, and at the step of that number something else happens. */
function interrupted<T extends object>(
  whole: T,
  steps: { left: number },
  happens: () => Promise<unknown>,
): T {
  return new Proxy(whole, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function' || name === 'key') return member;
      return async (...given: unknown[]) => {
        if (steps.left-- === 0) await happens();
        return Reflect.apply(member, target, given);
      };
    },
  });
}

/** Whether the step was reached. */
async function atStep(
  step: number,
  run: (table: Table, secrets: Secrets) => Promise<unknown>,
  other: () => Promise<unknown>,
): Promise<boolean> {
  const steps = { left: step };
  const happens = () => other().catch(() => undefined);
  await run(
    interrupted(deployment.table, steps, happens),
    interrupted(deployment.secrets, steps, happens),
  ).catch(() => undefined);
  return steps.left < 0;
}

test.for(Array.from({ length: 6 }, (_, step) => step))(
  'R3 an image that comes at step %i of a removal has its registry, or is not there',
  async (step) => {
    const reached = await atStep(
      step,
      (table, secrets) => remove(table, secrets),
      () => add(),
    );
    if (step < 4) expect(reached).toBe(true);
    if ((await images()).length > 0) expect(await isThere()).toBe(true);
    else expect(await isThere()).toBe(false);
  },
);

/** Dies between its mark and its secret. */
const killedRemoval = () =>
  remove(deployment.table, { ...deployment.secrets, remove: () => Promise.reject(new Error('killed')) });

test.for([
  ['a removal', () => remove()],
  ['a removal that dies, and is finished afterwards,', killedRemoval],
] as const)(
  'R3 %s at any step of an image that comes leaves it its registry, or there is none',
  async ([, removal]) => {
    for (let step = 0; step < 4; step++) {
      await connect();
      const reached = await atStep(step, (table) => add(table), removal);
      if (step < 3) expect(reached).toBe(true);
      await remove().catch(() => undefined);
      expect((await images()).length > 0).toBe(await isThere());
    }
  },
);

const move = (table = deployment.table, url = 'ghcr.io/team') =>
  updateRegistry(removalOver(table), asking, registryId, { url }, undefined);
const placeOf = async () => {
  const { host, path } = (await deployment.table.get(organisation, 'registries', registryId)) ?? {};
  return path ? `${host}/${path}` : host;
};

test.for([
  ['an image that comes', (table: Table) => move(table), (table?: Table) => add(table)],
  ['a move', (table: Table) => add(table), (table?: Table) => move(table)],
] as const)(
  'R3 %s at any step of the other one leaves no image whose registry is elsewhere',
  async ([, whole, other]) => {
    for (let step = 0; step < 5; step++) {
      await connect();
      const reached = await atStep(step, whole, () => other());
      if (step < 2) expect(reached).toBe(true);
      const place = await placeOf();
      for (const { uri } of await images()) expect(uri).toMatch(new RegExp(`^${place}/team/img_`));
    }
  },
);

test('R3 a registry moves when no image refers to it any more; what else changes of it always can', async () => {
  const { id } = await add();
  for (const url of ['ghcr.io', 'quay.io/team', 'quay.io:443'])
    await expect(move(deployment.table, url)).rejects.toMatchObject({
      status: 409,
      code: 'registry-in-use',
      message: `1 image of this registry is still listed: their names contain its host and path. Connect ${url} as another registry (POST /v1/registries) and mirror them there (POST /v1/images/{id}/mirrors), or delete them first (GET /v1/registries/{id}/images lists them).`,
    });
  expect(await placeOf()).toBe('quay.io');
  const same = { title: 'Renamed', url: 'https://quay.io' };
  await updateRegistry(removalOver(deployment.table), asking, registryId, same, undefined);
  await removeImage(deployment.table, asking, id, undefined);
  await move();
  expect(await placeOf()).toBe('ghcr.io/team');
});

test('O1 R3 the settings name no registry that is gone, at whatever step of its removal it becomes the default', async () => {
  const choose = async (id: string | undefined) => {
    const settings = settingsSchema.parse(id ? { defaultRegistryId: id } : {});
    await replaceSettings(
      { ...deployment, registries: registriesOf(deployment.table), access },
      { caller: { ...ada, organisation }, now: asking.now, ifMatch: undefined },
      settings,
    );
  };
  for (let step = 0; step < 6; step++) {
    await connect();
    await atStep(
      step,
      (table, secrets) => remove(table, secrets),
      () => choose(registryId),
    );
    const { settings } = await getSettings(deployment.table, organisation);
    expect(settings.defaultRegistryId === registryId).toBe(await isThere());
    await choose(undefined);
  }
});

test('R3 a registry can go when the last of its images has gone', async () => {
  const made = await Promise.all([add(), add(), add()]);
  await expect(remove()).rejects.toMatchObject({ status: 409, code: 'registry-in-use' });
  await Promise.all(made.map(({ id }) => removeImage(deployment.table, asking, id, undefined)));
  await remove();
  expect(await isThere()).toBe(false);
});

test('R3 a removal that died can only be finished: no image comes, nothing changes', async () => {
  await expect(killedRemoval()).rejects.toThrow('killed');
  expect(await isThere()).toBe(true);
  await expect(add()).rejects.toMatchObject({ status: 409, code: 'registry-not-connected' });
  const change = updateRegistry(
    removalOver(deployment.table),
    asking,
    registryId,
    { title: 'New' },
    undefined,
  );
  await expect(change).rejects.toMatchObject({ status: 409, code: 'registry-leaving' });
  await remove();
  expect(await isThere()).toBe(false);
});

test('R3 force leaves the images, which can still be deleted', async () => {
  const { id } = await add();
  await remove(deployment.table, deployment.secrets, true);
  expect(await isThere()).toBe(false);
  await removeImage(deployment.table, asking, id, undefined);
  expect(await images()).toEqual([]);
});
