// A resolve hook: a package that is not found from the release's folder is looked up from the project's.
let parent = '';

export function initialize(data) {
  parent = data.parent;
}

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    const bare = !/^(\.{0,2}\/|file:|node:|data:)/.test(specifier);
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || !bare) throw error;
    try {
      return await next(specifier, { ...context, parentURL: parent });
    } catch {
      throw error; // the first message names the user's file
    }
  }
}
