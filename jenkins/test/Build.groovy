/** What a build holds while it runs: environment, secrets, agents, workspaces, result. */
class Build {
    private static final List<String> WORSE = ['SUCCESS', 'UNSTABLE', 'FAILURE', 'NOT_BUILT', 'ABORTED']
    final Map settings
    final Recorder recorder
    /** What the controller and the job give to every step. */
    final Map<String, String> env
    /** Blocks of environment { }, withEnv, withCredentials and the agent's, outermost first. */
    final List<Map<String, String>> layers = []
    /** Names whose value came from a credential or from a person, and must be quoted in shell text. */
    final Set<String> foreign = [] as Set
    final Set<String> secrets = [] as Set
    final List<File> workspaces = []
    String stage = null
    String result = 'SUCCESS'
    private int agents = 0

    Build(Map settings, Recorder recorder) {
        this.settings = settings
        this.recorder = recorder
        def number = String.valueOf(settings.number ?: 1)
        def job = settings.job ?: 'flights'
        def url = settings.buildUrl ?: "https://jenkins.example.com/job/${job}/job/${settings.branch}/${number}/"
        env = [
            BRANCH_NAME: settings.branch, BUILD_NUMBER: number, BUILD_ID: number, BUILD_URL: url, JOB_NAME: "${job}/${settings.branch}",
            BUILD_TAG: "jenkins-${job}-${settings.branch}-${number}", JENKINS_URL: 'https://jenkins.example.com/', CI: 'true',
        ].collectEntries { key, value -> [key, String.valueOf(value)] } + (settings.env ?: [:])
        settings.credentials?.values()?.each { secrets.addAll(it instanceof Map ? [it.password] : [it]) }
    }

    Map<String, String> environment() {
        layers.inject(new LinkedHashMap(env)) { all, layer -> all + layer }
    }

    def withLayer(Map<String, String> layer, Closure body) {
        layers.add(layer)
        try {
            return body.call()
        } finally {
            layers.remove(layers.size() - 1)
        }
    }

    /** One line of environment { }; `credentials('id')` arrives as a function of the name. */
    void declare(String name, Object value) {
        if (value instanceof Closure) layers.last().putAll(value.call(name) as Map)
        else layers.last()[name] = String.valueOf(value)
    }

    /** The variables that a credential sets: one for a text, two for a name and a password. */
    Map<String, String> bind(String id, List<String> names) {
        def credential = settings.credentials?.get(id)
        if (credential == null) throw new Ended('FAILURE', "Could not find credentials entry with ID '${id}'")
        def values = credential instanceof Map ? [credential.username, credential.password] : [credential]
        if (values.size() != names.size()) throw new Ended('FAILURE', "Credentials '${id}' are of another kind than ${names.join(', ')} expect")
        foreign.addAll(names)
        recorder.event('credential', [id: id, variables: names])
        [names, values].transpose().collectEntries()
    }

    /** `NAME = credentials('id')`: NAME, or for a name and a password NAME_USR and NAME_PSW besides. */
    Map<String, String> bindInEnvironment(String id, String name) {
        if (!(settings.credentials?.get(id) instanceof Map)) return bind(id, [name])
        def both = bind(id, [name + '_USR', name + '_PSW'])
        foreign.add(name)
        both + [(name): both.values().join(':')]
    }

    int getExecutors() {
        workspaces.size()
    }

    File getWorkspace() {
        workspaces.empty ? null : workspaces.last()
    }

    /** Each agent gets an empty workspace: what a stage needs from another must have been stashed. */
    def onAgent(String label, boolean checkout, Closure body) {
        def folder = new File(settings.folder as String, "agent-${++agents}")
        folder.mkdirs()
        workspaces.add(folder)
        recorder.event('agent', [label: label, state: 'taken', executors: executors])
        try {
            def node = [WORKSPACE: folder.path, NODE_NAME: "agent-${agents}".toString(), EXECUTOR_NUMBER: '0']
            return withLayer(node) {
                if (checkout) layers.last().putAll(checkOut())
                body.call()
            }
        } finally {
            workspaces.remove(workspaces.size() - 1)
            recorder.event('agent', [label: label, state: 'released', executors: executors])
        }
    }

    /** `checkout scm`: the commit in the workspace; answers the variables of the git plugin. */
    Map<String, String> checkOut() {
        def git = { String... words ->
            def process = new ProcessBuilder(['git', *words]).directory(workspace).redirectErrorStream(true).start()
            process.outputStream.close()
            def text = process.inputStream.text
            if (process.waitFor() != 0) throw new Ended('FAILURE', "git ${words.join(' ')}: ${text}")
            text.trim()
        }
        git('clone', '--quiet', '--no-checkout', '--', settings.repository as String, '.')
        git('checkout', '--quiet', '--detach', (settings.commit ?: "origin/${settings.branch}") as String)
        def commit = git('rev-parse', 'HEAD')
        recorder.event('checkout', [commit: commit])
        [GIT_COMMIT: commit, GIT_BRANCH: settings.branch as String, GIT_URL: settings.repository as String]
    }

    void worsen(String other) {
        if (WORSE.indexOf(other) > WORSE.indexOf(result)) result = other
    }

    String masked(String text) {
        secrets.findAll { it }.inject(text) { all, secret -> all.replace(secret, '****') }
    }
}
