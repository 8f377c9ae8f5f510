import { afterAll, beforeAll, expect, it } from 'vitest';
import { withWarnings } from '../../../functions/images/orphans.ts';
import { imageOf } from '../../../shared/images/record.ts';
import { createRegistryStore } from '../../../shared/store/registries.ts';
import { type RealTable, startRealTable } from '../../shared/store/real-table.ts';
import { imageRecord } from './stored.ts';

let real: RealTable;
beforeAll(async () => {
  real = await startRealTable();
});
afterAll(() => real?.stop());

const image = (registryId: string | undefined, uri: string) => {
  const { registryId: _, ...record } = imageRecord({ id: 'img_1', uri, registry: uri.split('/')[0] ?? '' });
  return imageOf({ ...record, ...(registryId ? { registryId } : {}) } as Parameters<typeof imageOf>[0]);
};
const connect = (id: string, host: string, path: string) =>
  real.table.put('acme', 'registries', id, {
    id,
    title: id,
    type: 'other',
    visibility: 'private',
    host,
    path,
    insecure: false,
    createdAt: '',
    createdBy: '',
    updatedAt: '',
    version: 1,
  });

it('R3 images whose registry was deleted by force say so, until one is connected there again', async () => {
  const registries = createRegistryStore(real.table, 'ecr.example', []);
  await connect('reg_there', 'ghcr.io', '');
  const images = [
    image('reg_gone', 'quay.io/team/app:1'),
    image('reg_gone', 'docker.io/team/app:1'),
    image('reg_there', 'ghcr.io/team/app:1'),
    image('reg_gone', 'ghcr.io/team/app:1'),
    image('reg_dockerhub', 'docker.io/library/python:3.13'),
    image(undefined, 'nvcr.io/nvidia/cuda:1'),
  ];
  const warned = async () =>
    (await withWarnings(registries, 'acme', images)).map(({ warnings }) => warnings?.length ?? 0);
  expect(await warned()).toEqual([1, 1, 0, 0, 0, 0]);
  await connect('reg_again', 'quay.io', 'team');
  expect(await warned()).toEqual([0, 1, 0, 0, 0, 0]);
});
