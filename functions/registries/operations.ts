/** The operations of this function, bound to their use cases. */

import { publishedImages } from '../../shared/catalogue/images.ts';
import { askingOf } from '../../shared/http/asking.ts';
import { type Implementation, implement } from '../../shared/http/operation.ts';
import { pageWithCatalogue } from '../../shared/images/catalogue-pages.ts';
import type { Registry } from '../../shared/model/registry.ts';
import { type RegistryRecord, toRegistry } from '../../shared/store/registries.ts';
import { checkRegistry } from './check.ts';
import * as contract from './contract.ts';
import { createRegistry } from './create.ts';
import type { RegistriesDependencies } from './dependencies.ts';
import { getRegistry, listRegistries, withWarnings } from './read.ts';
import { removeRegistry } from './remove.ts';
import { updateRegistry } from './update.ts';

async function answered(
  organisation: string,
  record: RegistryRecord,
  dependencies: RegistriesDependencies,
): Promise<Registry> {
  const all = await dependencies.registries.all(organisation);
  return withWarnings({ ...record, registry: toRegistry(record) }, all, dependencies);
}

export const registryOperations = (dependencies: RegistriesDependencies): Implementation[] => [
  implement(contract.listRegistries, async ({ caller, query }) => ({
    status: 200,
    body: await listRegistries(dependencies, caller.organisation, query),
  })),
  implement(contract.createRegistry, async (request) => {
    const record = await createRegistry(
      request.asCaller(dependencies),
      askingOf(request),
      request.newId('registry'),
      request.body,
    );
    return {
      status: 201,
      body: await answered(request.caller.organisation, record, dependencies),
      etag: record.version,
      headers: { location: `/v1/registries/${record.id}` },
    };
  }),
  implement(contract.getRegistry, async ({ caller, params }) => {
    const known = await getRegistry(dependencies, caller.organisation, params.id);
    const all = await dependencies.registries.all(caller.organisation);
    return { status: 200, body: withWarnings(known, all, dependencies), etag: known.version };
  }),
  implement(contract.updateRegistry, async (request) => {
    const { params, body, ifMatch } = request;
    const record = await updateRegistry(
      request.asCaller(dependencies),
      askingOf(request),
      params.id,
      body,
      ifMatch,
    );
    return {
      status: 200,
      body: await answered(request.caller.organisation, record, dependencies),
      etag: record.version,
    };
  }),
  implement(contract.deleteRegistry, async (request) => {
    const { params, query, ifMatch } = request;
    await removeRegistry(request.asCaller(dependencies), askingOf(request), params.id, {
      force: query.force,
      ifMatch,
    });
    return { status: 204 };
  }),
  implement(contract.checkRegistry, async (request) => ({
    status: 200,
    body: await checkRegistry(dependencies, askingOf(request), request.params.id, request.body.repository),
  })),
  implement(contract.listRegistryImages, async ({ caller, params, query }) => {
    const { registry } = await getRegistry(dependencies, caller.organisation, params.id);
    const page = await pageWithCatalogue(
      dependencies.table,
      caller.organisation,
      { ...query, registryId: registry.id },
      async () => (registry.isDefault ? publishedImages(dependencies, caller.organisation) : []),
    );
    return { status: 200, body: page };
  }),
];
