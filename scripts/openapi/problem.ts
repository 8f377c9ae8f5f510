/** The problem document of RFC 9457, with every type that there is. */
import * as z from 'zod';
import { type ProblemCode, problemTypes } from '../../shared/http/problem-types.ts';

const prefix = 'urn:slipway:problem:';
const codes = Object.keys(problemTypes) as ProblemCode[];

const problemTypeSchema = z.enum(codes.map((code) => `${prefix}${code}`)).meta({
  id: 'ProblemType',
  description: codes.map((code) => `- \`${code}\`: ${problemTypes[code]}`).join('\n'),
  example: `${prefix}invalid-request`,
});

const fieldErrorSchema = z
  .object({
    pointer: z.string().meta({
      description: 'JSON pointer into the body; `?name` for a query parameter, `{name}` for a path parameter',
      example: '/source/dockerfile',
    }),
    message: z.string(),
  })
  .meta({ id: 'FieldError' });

export const problemSchema = z
  .object({
    type: problemTypeSchema,
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().meta({ description: 'Request id' }),
    errors: z.array(fieldErrorSchema).optional(),
    candidates: z.array(z.string()).optional().meta({
      description: 'Ids or URIs that the request may have meant, or that conflict with it',
    }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });
