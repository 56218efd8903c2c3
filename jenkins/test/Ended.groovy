/** The build ends here with this result; `post` sections run. */
class Ended extends RuntimeException {
    final String result

    Ended(String result, String message) {
        super(message)
        this.result = result
    }
}
