import "swagger-ui-dist/swagger-ui.css";
import "./page.css";

import { SwaggerUIBundle } from "swagger-ui-dist";

// What is asked goes to this server and nowhere else: no validator, and credentials are forgotten with the page.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: false,
  tryItOutEnabled: false,
  validatorUrl: null,
});
