// What this page uses of it; the package brings no types.
declare module "swagger-ui-dist" {
  export function SwaggerUIBundle(options: Record<string, unknown>): unknown;
}
