/** What a Jenkinsfile and the files of a shared library are instances of: every name they use is the recorder's to know. */
abstract class JenkinsScript extends Script {
    def methodMissing(String name, arguments) {
        Recorder.current.called(name, arguments as List)
    }

    @Override
    Object getProperty(String name) {
        name in ['binding', 'metaClass', 'class'] ? super.getProperty(name) : Recorder.current.read(name)
    }

    @Override
    void setProperty(String name, Object value) {
        name in ['binding', 'metaClass'] ? super.setProperty(name, value) : Recorder.current.assign(name, value)
    }

    void println(Object value) {
        Recorder.current.called('echo', [String.valueOf(value)])
    }
}
