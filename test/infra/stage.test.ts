import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadStage, StageConfigurationError } from '../../infra/stage.ts';
import { exampleStage } from './synthesized.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-stages-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const organisation = (id: string) => ({ id, title: id, adminEmail: `admin@${id}.example` });
const withMemory = (memoryMiB: number) => ({
  computes: exampleStage().computes.map((one) => (one.name === 'gpu-small' ? { ...one, memoryMiB } : one)),
});

describe('a stage is loaded by name', () => {
  test.each(['local', 'example'])('%s', (name) => {
    expect(loadStage(name).stage).toBe(name);
  });

  test('one that is missing names the stages there are', () => {
    expect(() => loadStage('prod')).toThrow(
      /infra\/stages\/prod\.json can't be deployed:\n {2}- this file does not exist; .*example, local/,
    );
  });

  test('a file that is no JSON, or calls itself something else, is refused', () => {
    writeFileSync(join(folder, 'broken.json'), '{');
    expect(() => loadStage('broken', folder)).toThrow('not JSON');
    writeFileSync(join(folder, 'prod.json'), JSON.stringify(exampleStage()));
    expect(() => loadStage('prod', folder)).toThrow('says "example"; set it to "prod"');
  });

  test("one that still has the example's addresses is refused", () => {
    const write = (changes: object) =>
      writeFileSync(join(folder, 'mine.json'), JSON.stringify(exampleStage({ stage: 'mine', ...changes })));
    const first = { ...organisation('research'), adminEmail: 'first.admin@example.com' };
    write({ organisations: [first] });
    expect(() => loadStage('mine', folder)).toThrow(
      /mailFrom: slipway@example\.com is the example's(.|\n)*adminEmail of research: first\.admin@example\.com/,
    );
    write({ mailFrom: 'slipway@acme.example' });
    expect(loadStage('mine', folder).stage).toBe('mine');
  });

  test('every invalid field is listed with its place', () => {
    const changes = { organisations: [organisation('Acme Inc')], mailFrom: 'nobody' };
    expect(() => exampleStage(changes)).toThrow(StageConfigurationError);
    expect(() => exampleStage(changes)).toThrow(
      /organisations\.0\.id: must be 2 to 32 lowercase(.|\n)*mailFrom: /,
    );
  });
});

const withCompute = (name: string, changes: object) => ({
  computes: exampleStage().computes.map((one) => (one.name === name ? { ...one, ...changes } : one)),
});
const withEnvironment = (name: string, changes: object) => ({
  environments: exampleStage().environments.map((one) => (one.name === name ? { ...one, ...changes } : one)),
});

describe('what AWS would only tell later is told at synth', () => {
  test.each([
    ['half a vCPU for jobs', withCompute('cpu-small', { vcpus: 0.5 }), /computes\.\d\.vcpus: /],
    ['one and a half for builds', withCompute('build-small', { vcpus: 1.5 }), /computes\.\d\.vcpus: /],
    ['no vCPU', withCompute('cpu-small', { vcpus: 0 }), /computes\.\d\.vcpus: /],
    ['less memory than a container can have', withCompute('cpu-small', { memoryMiB: 5 }), /\.memoryMiB: /],
    ['the least memory is fine', withCompute('cpu-small', { memoryMiB: 6 }), undefined],
    ['half a GPU', withCompute('gpu-small', { gpus: 0.5 }), /\.gpus: /],
    ...[
      'BUILD_GENERAL1_HUGE',
      'build_general1_small',
      '',
      'toString',
      'BUILD_LAMBDA_4GB',
      'ATTRIBUTE_BASED_COMPUTE',
    ].map((computeType): [string, object, RegExp] => [
      `the computeType "${computeType}"`,
      withCompute('build-small', { computeType }),
      /build-small: CodeBuild has no computeType ".*BUILD_GENERAL1_SMALL, BUILD_GENERAL1_MEDIUM/,
    ]),
    [
      'a build compute that promises more memory than its type has',
      withCompute('build-small', { memoryMiB: 4097 }),
      'promises more than BUILD_GENERAL1_SMALL has (2 vCPU, 4096 MiB)',
    ],
    [
      'or more vCPUs',
      withCompute('build-large', { vcpus: 9 }),
      'promises more than BUILD_GENERAL1_LARGE has',
    ],
    ['all that it has is fine', withCompute('build-large', { vcpus: 8, memoryMiB: 16_384 }), undefined],
    [
      'a job larger than all hosts together may be',
      withEnvironment('gpu', { maxVcpus: 3 }),
      'gpu-small needs 4 vCPU, but maxVcpus of environment gpu is 3',
    ],
    [
      'an instance type that is there twice',
      withEnvironment('cpu', { instanceTypes: ['c7i.xlarge', 'c7i.2xlarge', 'c7i.xlarge'] }),
      '"c7i.xlarge" is listed twice',
    ],
    [
      'a queue with the same environment twice',
      { queues: exampleStage().queues.map((one) => ({ ...one, environments: ['gpu', 'gpu'] })) },
      'environment "gpu" is listed twice',
    ],
    ...['a--b', 'Acme', '1st', 'a', 'acme-', 'a'.repeat(33), 'äcme'].map((id): [string, object, RegExp] => [
      `an organisation "${id}", in whose name ECR makes no repository`,
      { organisations: [organisation(id)] },
      /organisations\.0\.id: must be 2 to 32 lowercase/,
    ]),
    ['more memory than hosts register', withMemory(16_384), 'at most 15073 MiB'],
    ['exactly what hosts register is fine', withMemory(15_073), undefined],
    [
      'an unknown instance type',
      { environments: exampleStage().environments.map((one) => ({ ...one, instanceTypes: ['g5g.xlarge'] })) },
      '"g5g.xlarge" is not an x86-64 type in infra/instance-types.ts',
    ],
    [
      'a GPU environment without GPUs',
      {
        environments: exampleStage().environments.map((one) =>
          one.name === 'gpu' ? { ...one, instanceTypes: ['c7i.xlarge'] } : one,
        ),
      },
      'gpu is true but c7i.xlarge has 0 GPUs',
    ],
    [
      'an organisation named like the default images',
      { organisations: [organisation('slipway')] },
      'ECR namespace',
    ],
    [
      'a role name that IAM refuses',
      {
        organisations: [organisation('a-research-department-of-many')],
        stage: 'a-very-long-stage-name-indeed-1',
      },
      'IAM allows 64',
    ],
    [
      'two organisations of one name',
      { organisations: [organisation('acme'), organisation('acme')] },
      'is used twice',
    ],
    [
      'a stage whose name leaves no room for the prefix of a cache rule',
      { stage: 'a-long-stage-name', pullThroughCache: { ecrPublic: true } },
      "ECR takes 30 characters for the prefix of a rule, and this stage's name makes it 32",
    ],
    ['the same without a cache', { stage: 'a-long-stage-name' }, undefined],
    [
      'an organisation named like the cache',
      { organisations: [organisation('slipway-example')], pullThroughCache: { quay: true } },
      'ECR namespace of the pull-through cache',
    ],
    [
      'Docker Hub without an account',
      { pullThroughCache: { dockerHub: true } },
      'pullThroughCache.dockerHub',
    ],
    [
      "an organisation whose names begin like another's",
      { organisations: [organisation('acme'), organisation('acme-gpu')] },
      '"acme-gpu-cpu" of "acme-gpu" begins like "acme-gpu" of "acme"',
    ],
  ])('%s', (_, changes, message) => {
    if (message) expect(() => exampleStage(changes)).toThrow(message);
    else expect(() => exampleStage(changes)).not.toThrow();
  });
});
