import { errorCodes, type FastifyInstance } from 'fastify';
import { SluiceError } from '#core';
import { checkJson } from './check-json.ts';

const FORM = 'application/x-www-form-urlencoded';

/**
 * Bodies are JSON, where a route asks for it bytes as they are, and nothing else (forms of other sites cannot send either
 * unasked); an empty one counts as `{}`. A route that says `raw` gets the text, of a form too if it says so.
 */
export function parseBodies(server: FastifyInstance): void {
  const parseJson = server.getDefaultJsonParser('error', 'error');
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (request.routeOptions.config.raw === 'json') return done(null, text);
    if (text.length === 0) return done(null, {});
    void parseJson(request, text as string, (error, value) => {
      if (error) return done(new SluiceError('bad_request', `The body is not JSON: ${error.message.slice(0, 200)}.`));
      try {
        checkJson(value);
        done(null, value);
      } catch (refusal) {
        done(refusal as SluiceError);
      }
    });
  });
  server.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, content, done) =>
    done(null, content),
  );
  server.addContentTypeParser(FORM, { parseAs: 'string' }, (request, text, done) => {
    if (request.routeOptions.config.raw === 'form') done(null, text);
    else done(new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE(FORM));
  });
}
