"""A session of ONNX Runtime on a network that is held in memory."""

import onnxruntime

from pulmo.core.errors import InputError

# As in `pulmo`, where another program has loaded ONNX Runtime before.
onnxruntime.disable_telemetry_events()


def open_session(model: bytes, origin: str, threads: int) -> onnxruntime.InferenceSession:
    """Opens a network on the processor.

    Args:
        model: the content of the ONNX file.
        origin: its name, for messages.
        threads: threads of the network; 0 takes all cores.

    Raises:
        InputError: it is not a usable network.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Weights of 8 bits are then widened once, here, and not in each run.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no narrower base
        raise InputError(
            "onnx-invalid", f"{origin} is not a usable ONNX network: {str(error).rstrip('.')}."
        ) from error
