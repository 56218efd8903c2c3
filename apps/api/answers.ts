import { applyDecorators } from '@nestjs/common';
import { ApiDefaultResponse, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { z, type ZodType } from 'zod';
import { errorBody } from '#contracts';

/** Documents a route: its sentence, and the shape of its answer (null: no body). The status itself is set by `@HttpCode`. */
export function Answers(status: number, summary: string, shape: ZodType | null): MethodDecorator {
  return applyDecorators(
    ApiOperation({ summary }),
    ApiResponse({ status, description: summary, ...(shape ? { standardSchema: shape } : {}) }),
    ApiDefaultResponse({ description: 'What went wrong.', standardSchema: errorBody }),
  );
}

/** A list that is told whole. */
export const listOf = (shape: ZodType) => z.object({ items: z.array(shape) });
/** A list that goes on with `next` as `cursor`. */
export const pageOf = (shape: ZodType) => z.object({ items: z.array(shape), next: z.string().nullable() });
