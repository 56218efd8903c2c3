/** Jenkins would refuse the file, or our rules do: no build result, a defect of the file. */
class Refused extends RuntimeException {
    Refused(String message) {
        super(message)
    }
}
