/** The controller went away: nothing more happens, not even `post`. */
class Interrupted extends RuntimeException {
    Interrupted(String message) {
        super(message)
    }
}
