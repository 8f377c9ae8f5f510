import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { catalogueImage } from '../../../shared/catalogue/images.ts';
import { isCatalogueReference, kubeflowImages } from '../../../shared/catalogue/kubeflow.ts';
import { defaultImages } from '../../../shared/model/default-images.ts';

describe('I9 the catalogue', () => {
  test('17 images, each below one that is there', () => {
    expect(kubeflowImages).toHaveLength(17);
    const names = kubeflowImages.map(({ name }) => name);
    expect(new Set(names).size).toBe(17);
    expect(kubeflowImages.filter(({ parent }) => parent === undefined).map(({ name }) => name)).toEqual([
      'base',
    ]);
    for (const { parent } of kubeflowImages) if (parent !== undefined) expect(names).toContain(parent);
    expect(kubeflowImages.filter(({ deprecated }) => deprecated).map(({ name }) => name)).toEqual([
      'jupyter-pytorch-gaudi',
      'jupyter-pytorch-gaudi-full',
    ]);
    expect(names.filter((name) => name.endsWith('-full'))).toHaveLength(5);
  });

  test('one default image for each folder of examples', () => {
    const folders = readdirSync(join(import.meta.dirname, '../../../examples/images')).sort();
    expect(defaultImages.map(({ name }) => name).sort()).toEqual(folders);
  });

  test('ids are fixed', () => {
    expect(catalogueImage('ecr.example', 'img_kubeflow-jupyter-pytorch-cuda-full')?.uri).toBe(
      'docker.io/kubeflownotebookswg/jupyter-pytorch-cuda-full:v1.10.0',
    );
    expect(catalogueImage('ecr.example', 'img_slipway-python')?.uri).toBe('ecr.example/slipway/python:1');
    expect(catalogueImage('ecr.example', 'img_kubeflow-none')).toBeUndefined();
  });

  test.each([
    ['kubeflownotebookswg/jupyter:v1.9.2', true],
    ['docker.io/kubeflownotebookswg/jupyter-scipy', true],
    ['ghcr.io/kubeflow/kubeflow/notebook-servers/base@sha256:00', true],
    ['quay.io/kubeflownotebookswg/jupyter', false],
    ['mykubeflownotebookswg/jupyter', false],
  ])('%s: %s', (reference, expected) => {
    expect(isCatalogueReference(reference)).toBe(expected);
  });
});
