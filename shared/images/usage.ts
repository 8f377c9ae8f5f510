/** I12: an image used elsewhere. What is printed can be copied as it is; nothing in it is a secret. */
import type { ImageUsage } from '../model/usage.ts';
import { parseReference } from '../registry/reference.ts';

export interface UsableImage {
  uri: string;
  digest: string;
  /** Whether it is pulled with somebody's credentials. */
  isPrivate: boolean;
  /** Whether it lies in the deployment's own ECR, which is a registry of this machine where Slipway runs on one. */
  isOwn?: boolean;
  /** Of the registry's account; nothing where it has none. */
  username?: string | undefined;
}

/** Names of repositories and hosts have no character that a shell or YAML takes for its own, but for what is quoted here. */
export function usageOf({ uri, digest, isPrivate, isOwn = false, username }: UsableImage): ImageUsage {
  const { host = '', repository } = parseReference(uri);
  const pinned = `${host}/${repository}@${digest}`;
  const region = /^[0-9]{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/.exec(host)?.[1];
  const plain = /^(?:localhost|127\.0\.0\.1)(?::|$)/.test(host);
  const name = kubernetesName(repository);
  const isEcr = isOwn || region !== undefined;
  const login = isPrivate ? loginOf(host, isEcr, region, username) : undefined;
  const onlyHere = plain ? [`${host} is a registry on this machine. Other machines can't reach it.`] : [];
  return {
    pinned,
    docker: {
      commands: [...(login ? [login.docker] : []), `docker pull ${pinned}`, `docker run --rm -it ${pinned}`],
      notes: [...(login ? [login.note] : []), ...onlyHere],
    },
    apptainer: {
      commands: [
        ...(login ? [login.apptainer] : []),
        `apptainer pull${plain ? ' --no-https' : ''} ${name}.sif docker://${pinned}`,
        `apptainer exec ${name}.sif sh`,
      ],
      notes: [
        'With NVIDIA GPUs: `apptainer exec --nv`.',
        ...(login ? ['In versions without `apptainer registry`, log in with `apptainer remote login`.'] : []),
        ...(login ? [login.note] : []),
        ...onlyHere,
      ],
    },
    metaflow: {
      commands: [
        `python flow.py run --with batch:image=${pinned}`,
        `export METAFLOW_DEFAULT_CONTAINER_REGISTRY=${host}`,
        `export METAFLOW_DEFAULT_CONTAINER_IMAGE=${repository}@${digest}`,
      ],
      notes: [
        'The first command is for one run. The other two make it the default of every step.',
        "METAFLOW_BATCH_JOB_QUEUE must name a queue without a scheduling policy. Slipway's own queues share their hosts fairly, so AWS Batch asks every job there for a share identifier, which Metaflow doesn't send.",
        ...(isPrivate && !isEcr ? ["Metaflow's compute environment needs the registry's credentials."] : []),
      ],
    },
    kubeflow: {
      manifest: notebookManifest(name, pinned, isPrivate && !isEcr),
      notes: [
        'The image must serve HTTP on port 8888 below NB_PREFIX. `POST /v1/images/{id}/validations` checks it.',
        ...(isPrivate && !isEcr
          ? ["Put the registry's credentials into the secret `registry` of the namespace."]
          : []),
      ],
    },
    batch: {
      jobDefinition: jobDefinition(name, pinned),
      commands: ['aws batch register-job-definition --cli-input-json file://job-definition.json'],
      notes: [
        "In a queue with a scheduling policy, as Slipway's own are, `aws batch submit-job` needs `--share-identifier` and `--scheduling-priority-override`.",
        ...(isPrivate && !isEcr && !plain
          ? [
              "Add `repositoryCredentials` with a secret that contains the registry's username and password, and `executionRoleArn` with a role that may read the secret.",
            ]
          : []),
      ],
    },
  };
}

/** Lower-case letters, digits and hyphens, at most 52: a notebook's pod adds to it. */
const kubernetesName = (repository: string): string =>
  `i${repository.replace(/[^a-z0-9]+/g, '-')}`
    .slice(repository.match(/^[a-z]/) ? 1 : 0)
    .slice(-52)
    .replace(/^[^a-z]+|-+$/g, '') || 'image';

interface Login {
  docker: string;
  apptainer: string;
  /** Whose login it is, and where its password comes from. */
  note: string;
}

/** ECR gives out a password for twelve hours; of any other registry the password is the person's own. */
function loginOf(host: string, isEcr: boolean, region: string | undefined, username = '<you>'): Login {
  if (isEcr) {
    const password = `aws ecr get-login-password${region === undefined ? '' : ` --region ${region}`}`;
    const credentials =
      region === undefined
        ? "the embedded cloud's address and credentials (README, “With AWS's own tools”)"
        : 'AWS credentials that may call ecr:GetAuthorizationToken';
    return {
      docker: `${password} | docker login --username AWS --password-stdin ${host}`,
      apptainer: `${password} | apptainer registry login --username AWS --password-stdin docker://${host}`,
      note: `The username is AWS, and \`aws ecr get-login-password\` prints the password, which is valid for 12 hours. The AWS CLI needs ${credentials}.`,
    };
  }
  const user = `'${username.replaceAll("'", `'\\''`)}'`;
  const own = username === '<you>' ? ` Replace \`<you>\` with your username at ${host}.` : '';
  return {
    docker: `docker login --username ${user} ${host}`,
    apptainer: `apptainer registry login --username ${user} docker://${host}`,
    note: `The login command asks for the password or an access token of your account at ${host}.${own}`,
  };
}

function notebookManifest(name: string, pinned: string, needsSecret: boolean): string {
  return `apiVersion: kubeflow.org/v1
kind: Notebook
metadata:
  name: ${name}
spec:
  template:
    spec:
${needsSecret ? '      imagePullSecrets:\n        - name: registry\n' : ''}      containers:
        - name: ${name}
          image: "${pinned}"
          resources:
            requests:
              cpu: "1"
              memory: 2Gi
          volumeMounts:
            - name: home
              mountPath: /home/jovyan
      volumes:
        - name: home
          persistentVolumeClaim:
            claimName: ${name}-home
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: ${name}-home
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 10Gi
`;
}

const jobDefinition = (name: string, pinned: string) => ({
  jobDefinitionName: name,
  type: 'container',
  platformCapabilities: ['EC2'],
  containerProperties: {
    image: pinned,
    command: ['sh', '-c', 'echo hello from this image'],
    resourceRequirements: [
      { type: 'VCPU', value: '1' },
      { type: 'MEMORY', value: '2048' },
    ],
  },
  retryStrategy: { attempts: 1 },
  timeout: { attemptDurationSeconds: 3600 },
});
