import * as z from 'zod';
import { documented } from '../../shared/http/documented.ts';
import { operation } from '../../shared/http/operation.ts';
import { findingsQuery, findingsSchema } from '../../shared/model/findings.ts';
import { idSchema } from '../../shared/model/id.ts';
import { inspectionSchema, inspectQuery, inspectReferenceSchema } from '../../shared/model/inspection.ts';

const tag = 'Images';
const answer = { 200: { description: 'The image, as its registry has it', schema: inspectionSchema } };

export const inspectImage = operation({
  id: 'inspectImage',
  method: 'GET',
  path: '/v1/images/{id}/inspect',
  documentation: documented(() => ({
    tag,
    summary: 'What an image is made of, asked of its registry',
    description:
      'Manifests, layers and configuration for one platform: those of the digest that the image has here; of an image of the catalogue, of what its tag names now. 409 `image-not-ready` before it has one; what the registry refuses is 422 with a code of its own, such as `image-no-platform` or `registry-rate-limited`.',
    responses: answer,
  })),
  role: 'viewer',
  params: z.object({ id: idSchema('image') }),
  query: inspectQuery,
  problems: [404, 409],
});

export const inspectReference = operation({
  id: 'inspectReference',
  method: 'POST',
  path: '/v1/images/inspect',
  documentation: documented(() => ({
    tag,
    summary: 'The same for an image that was not added, by its URL',
    description: "The credentials of the organisation's registries are used where one matches.",
    example: { url: 'quay.io/podman/hello:latest', platform: 'linux/arm64' },
    responses: answer,
  })),
  role: 'viewer',
  body: inspectReferenceSchema,
});

const onlyOwn =
  "Only of images in the deployment's own registry: 409 `image-elsewhere` for others, which can be mirrored there.";

export const listFindings = operation({
  id: 'listFindings',
  method: 'GET',
  path: '/v1/images/{id}/findings',
  documentation: documented(() => ({
    tag,
    summary: 'Known vulnerabilities of an image, the worst first',
    description: `What the last scan of it found. ${onlyOwn}`,
    responses: { 200: { description: 'The findings, or that there are none yet', schema: findingsSchema } },
  })),
  role: 'viewer',
  params: z.object({ id: idSchema('image') }),
  query: findingsQuery,
  problems: [404, 409],
});

export const scanImage = operation({
  id: 'scanImage',
  method: 'POST',
  path: '/v1/images/{id}/findings',
  documentation: documented(() => ({
    tag,
    summary: 'Scan an image for known vulnerabilities',
    description: `An image is scanned once in 24 hours: after that 409 \`recently-scanned\`. 409 \`scanned-continuously\` where the account scans all images by itself. ${onlyOwn}`,
    responses: { 202: { description: 'The scan has begun', schema: findingsSchema, headers: ['Location'] } },
  })),
  role: 'editor',
  params: z.object({ id: idSchema('image') }),
  problems: [404, 409],
});
