import { Config } from "@remotion/cli/config";

// What only the project's own configuration tells a bundler: without it, src/font.ts does not compile.
Config.overrideWebpackConfig((current) => ({
  ...current,
  resolve: { ...current.resolve, alias: { ...current.resolve?.alias, "@fonts": "@fontsource/bungee/files" } },
}));
