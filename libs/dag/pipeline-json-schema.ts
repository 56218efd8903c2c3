import { z } from 'zod';
import { pipelineShape } from './shape/pipeline-shape.ts';
import { testFileShape } from './shape/test-shape.ts';

/** JSON Schema (draft-07) of a pipeline file, for completion in editors; made from what validation itself uses. */
export function pipelineJsonSchema(): object {
  const schema = z.toJSONSchema(pipelineShape, { target: 'draft-7', io: 'input' });
  // A part may hold the tasks.
  const required = { required: ['name'], anyOf: [{ required: ['tasks'] }, { required: ['extends'] }] };
  return { $id: 'urn:sluice:schema:pipeline', title: 'Sluice pipeline', ...schema, ...required };
}

/** The same of a file of `dags/tests/`. */
export function testsJsonSchema(): object {
  const schema = z.toJSONSchema(testFileShape, { target: 'draft-7', io: 'input' });
  return { $id: 'urn:sluice:schema:tests', title: 'Sluice tests', ...schema };
}
