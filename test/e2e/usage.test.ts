/** Ready commands for using an image elsewhere (I12): copied and run where the tool can be had. */
import { rm } from 'node:fs/promises';
import {
  BatchClient,
  DeregisterJobDefinitionCommand,
  RegisterJobDefinitionCommand,
} from '@aws-sdk/client-batch';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { run } from '../../scripts/command.ts';
import { awsConfiguration } from '../../scripts/local-cloud.ts';
import { apiOf, type Json, settled, unique } from './client.ts';
import { dockerConfiguration } from './pull.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);

describe('usage', () => {
  let image: Json;
  let usage: Json;
  beforeAll(async () => {
    const reply = await api.post('/v1/images', {
      source: { type: 'build', dockerfile: `FROM ${tinyBase}\nCMD ["echo", "it runs elsewhere"]\n` },
      registryId: 'reg_private',
      repository: `team/${unique('usage')}`,
    });
    await api.until(`/v1/builds/${reply.body.currentBuild.id}`, settled);
    image = await api.read(`/v1/images/${reply.body.id}`);
    usage = await api.read(`/v1/images/${image.id}/usage`);
  });

  it('I12 pins by digest everywhere', () => {
    expect(usage.pinned).toBe(`${cloud.registryHost}/acme/${image.repository}@${image.digest}`);
    expect(usage.metaflow.commands).toContain(`python flow.py run --with batch:image=${usage.pinned}`);
    expect(usage.apptainer.commands.join('\n')).toContain(`docker://${usage.pinned}`);
    expect(JSON.stringify(usage)).not.toMatch(/"[^"]*password"\s*:/);
  });

  it('I12 the Docker commands run as they are', async () => {
    const folder = await dockerConfiguration(cloud);
    try {
      // Logging in is the operator's; there is no terminal here.
      const commands = usage.docker.commands.filter((one: string) => !one.includes('docker login'));
      expect(commands).toHaveLength(2);
      const script = commands.map((one: string) => one.replace(' -it ', ' -i ')).join(' && ');
      const output = await run('sh', ['-c', script], { env: { DOCKER_CONFIG: folder } });
      expect(output.trim().split('\n').at(-1)).toBe('it runs elsewhere');
    } finally {
      await run('docker', ['rmi', '-f', usage.pinned]);
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('I12 AWS Batch registers the job definition', async () => {
    const batch = new BatchClient(awsConfiguration(cloud));
    const registered = await batch.send(new RegisterJobDefinitionCommand(usage.batch.jobDefinition));
    expect(registered.jobDefinitionArn).toContain(usage.batch.jobDefinition.jobDefinitionName);
    await batch.send(new DeregisterJobDefinitionCommand({ jobDefinition: registered.jobDefinitionArn }));
    batch.destroy();
  });

  it('I12 the Kubeflow manifest is YAML of a notebook and its volume', () => {
    const documents = parseAllDocuments(usage.kubeflow.manifest);
    const [notebook, volume] = documents.map((one) => {
      expect(one.errors).toEqual([]);
      return one.toJS();
    });
    const pod = notebook.spec.template.spec;
    expect(notebook).toMatchObject({ apiVersion: 'kubeflow.org/v1', kind: 'Notebook' });
    expect(pod.containers).toMatchObject([{ name: notebook.metadata.name, image: usage.pinned }]);
    expect(pod.volumes[0].persistentVolumeClaim.claimName).toBe(volume.metadata.name);
    expect(notebook.metadata.name).toMatch(/^[a-z]([-a-z0-9]{0,50}[a-z0-9])?$/);
  });

  it('I12 an image that was never built has no digest to pin', async () => {
    const reply = await api.post('/v1/images', {
      source: { type: 'build', dockerfile: `FROM ${tinyBase}\nRUN exit 3\n` },
      registryId: 'reg_private',
      repository: unique('never'),
    });
    await api.until(`/v1/builds/${reply.body.currentBuild.id}`, settled);
    const { status, body } = await api.get(`/v1/images/${reply.body.id}/usage`);
    expect([status, body.type]).toEqual([409, 'urn:slipway:problem:image-not-ready']);
  });
});
