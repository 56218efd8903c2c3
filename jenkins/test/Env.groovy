/** `env.NAME` in a Jenkinsfile; null when it is not set. */
class Env {
    private final Build build

    Env(Build build) {
        this.build = build
    }

    def propertyMissing(String name) {
        build.environment()[name]
    }

    def propertyMissing(String name, value) {
        build.env[name] = String.valueOf(value)
    }
}
