import { createHash } from 'node:crypto';
import { canonicalJson, type CompiledPipeline } from '#core';

export { canonicalJson };

/** SHA-256 (hex) of the pipeline's canonical form: comments, key order, layout and how it is spread over files do not count. */
export function pipelineDigest(pipeline: CompiledPipeline): string {
  const tasks = pipeline.tasks.map((task) => ({ ...task, line: undefined, origin: undefined }));
  return createHash('sha256')
    .update(canonicalJson({ ...pipeline, tasks }))
    .digest('hex');
}
