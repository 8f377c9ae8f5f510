/** I12: what is printed for use elsewhere, word by word where nobody here can run it. */
import { expect, it } from 'vitest';
import { usageOf } from '../../../shared/images/usage.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const usageAt = (host: string, isPrivate = true, more: { isOwn?: boolean; username?: string } = {}) =>
  usageOf({ uri: `${host}/team/app:1`, digest, isPrivate, ...more });

const asks =
  'The login command asks for the password or an access token of your account at ghcr.io. Replace `<you>` with your username at ghcr.io.';

it('I12 logs Docker and Apptainer in to a registry with a login, by the commands of current versions', () => {
  const { docker, apptainer } = usageAt('ghcr.io');
  expect(docker.commands[0]).toBe("docker login --username '<you>' ghcr.io");
  expect(docker.notes).toEqual([asks]);
  expect(apptainer).toEqual({
    commands: [
      "apptainer registry login --username '<you>' docker://ghcr.io",
      `apptainer pull team-app.sif docker://ghcr.io/team/app@${digest}`,
      'apptainer exec team-app.sif sh',
    ],
    notes: [
      'With NVIDIA GPUs: `apptainer exec --nv`.',
      'In versions without `apptainer registry`, log in with `apptainer remote login`.',
      asks,
    ],
  });
});

it('I12 logs in to ECR with a token of its own', () => {
  const host = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
  const token = 'aws ecr get-login-password --region eu-west-1';
  const { docker, apptainer } = usageAt(host);
  expect(docker.commands[0]).toBe(`${token} | docker login --username AWS --password-stdin ${host}`);
  expect(apptainer.commands[0]).toBe(
    `${token} | apptainer registry login --username AWS --password-stdin docker://${host}`,
  );
  expect(apptainer.notes.join()).not.toContain('<you>');
});

it('I12 names the account of a connected registry, whatever a shell would make of it', () => {
  const { docker, apptainer } = usageAt('harbor.example', true, { username: "robot$x'y" });
  const quoted = `'robot$x'\\''y'`;
  expect(docker.commands[0]).toBe(`docker login --username ${quoted} harbor.example`);
  expect(apptainer.commands[0]).toBe(`apptainer registry login --username ${quoted} docker://harbor.example`);
  expect(docker.notes.join()).not.toContain('<you>');
});

it("I12 logs in to the embedded cloud's own registry as to ECR, and says with whose credentials", () => {
  const { docker, metaflow, batch } = usageAt('127.0.0.1:4782', true, { isOwn: true });
  expect(docker.commands[0]).toBe(
    'aws ecr get-login-password | docker login --username AWS --password-stdin 127.0.0.1:4782',
  );
  expect(docker.notes[0]).toMatch(/^The username is AWS, .* the embedded cloud's address and credentials/);
  expect(metaflow.notes.join()).toMatch(/share identifier/);
  expect(batch.notes.join()).toContain('--share-identifier');
  expect(batch.notes.join()).not.toContain('repositoryCredentials');
});

it('I12 logs in nowhere for what everybody may pull, and says of this machine that others do not reach it', () => {
  expect(usageAt('docker.io', false).apptainer).toEqual({
    commands: [
      `apptainer pull team-app.sif docker://docker.io/team/app@${digest}`,
      'apptainer exec team-app.sif sh',
    ],
    notes: ['With NVIDIA GPUs: `apptainer exec --nv`.'],
  });
  expect(usageAt('127.0.0.1:5000', false).apptainer).toMatchObject({
    commands: [expect.stringContaining('--no-https'), expect.any(String)],
    notes: expect.arrayContaining([expect.stringContaining('on this machine')]),
  });
});
